<?php
/**
 * What must be there before anything is captured: WooCommerce, new enough. (PHP is checked by the main file.)
 *
 * @package Nexpura
 */

namespace Nexpura;

use Automattic\WooCommerce\Utilities\FeaturesUtil;
use Automattic\WooCommerce\Utilities\OrderUtil;

defined( 'ABSPATH' ) || exit;

/**
 * What is wrong with WooCommerce, in words that say what to do; null when nothing is.
 */
function woocommerce_problem(): ?string {
	if ( ! defined( 'WC_VERSION' ) || ! function_exists( 'WC' ) ) {
		return __( 'WooCommerce is needed: install and activate it under Plugins. Nothing is captured until then.', 'nexpura' );
	}
	if ( version_compare( WC_VERSION, MINIMUM_WOOCOMMERCE, '<' ) ) {
		return sprintf(
			/* translators: 1: WooCommerce version needed, 2: version found. */
			__( 'WooCommerce %1$s or newer is needed; this shop runs %2$s. Update WooCommerce under Plugins. Nothing is captured until then.', 'nexpura' ),
			MINIMUM_WOOCOMMERCE,
			WC_VERSION
		);
	}
	return null;
}

/**
 * Where WooCommerce keeps its orders: `hpos` (its own tables) or `legacy` (posts).
 */
function order_storage(): string {
	return OrderUtil::custom_orders_table_usage_is_enabled() ? 'hpos' : 'legacy';
}

add_action(
	'before_woocommerce_init',
	static function (): void {
		if ( class_exists( FeaturesUtil::class ) ) {
			FeaturesUtil::declare_compatibility( 'custom_order_tables', PLUGIN_FILE, true );
			FeaturesUtil::declare_compatibility( 'cart_checkout_blocks', PLUGIN_FILE, true );
		}
	}
);
