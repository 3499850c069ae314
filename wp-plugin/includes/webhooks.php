<?php
/**
 * The webhooks that the relay registers in WooCommerce where there is no extension: removed with the connection.
 *
 * @package Nexpura
 */

namespace Nexpura;

use WC_Data_Store;

defined( 'ABSPATH' ) || exit;

/** Where the relay receives them, below whatever its address is; what names the connection there follows. */
const WEBHOOK_PATH = '/api/integrations/woocommerce/webhook/';

/**
 * Removes every webhook that delivers to a relay of the connection's tenant.
 *
 * A relay's webhooks are named by its tenant, the first half of every connection id, and an id of their own.
 *
 * @param string $connection_id The connection that ends.
 */
function remove_webhooks( string $connection_id ): void {
	$tenant = substr( $connection_id, 0, 32 );
	// On the way out WooCommerce may be gone already; then its webhooks deliver nothing.
	if ( 32 !== strlen( $tenant ) || ! function_exists( 'wc_get_webhook' ) ) {
		return;
	}
	foreach ( WC_Data_Store::load( 'webhook' )->get_webhooks_ids() as $id ) {
		$webhook = wc_get_webhook( $id );
		if ( null !== $webhook && str_contains( $webhook->get_delivery_url( 'edit' ), WEBHOOK_PATH . $tenant ) ) {
			$webhook->delete( true );
		}
	}
}
