<?php
/**
 * Nexpura ends the connection: `POST wc-nexpura/v1/disconnect` removes the REST keys that it was given.
 *
 * WooCommerce has no REST route for keys, so nobody but this plugin can do it from outside.
 *
 * @package Nexpura
 */

namespace Nexpura;

use WP_REST_Request;
use WP_REST_Response;

defined( 'ABSPATH' ) || exit;

add_action(
	'rest_api_init',
	static function (): void {
		register_rest_route(
			REST_NAMESPACE,
			'/disconnect',
			array(
				'methods'             => 'POST',
				'callback'            => __NAMESPACE__ . '\answer_disconnect',
				// Nobody but the relay that holds both the key and the connection's secret.
				'permission_callback' => __NAMESPACE__ . '\may_push_stock',
			)
		);
	}
);

/**
 * Forgets the registration, its key, and the key that a person gave to Nexpura by hand.
 *
 * @param WP_REST_Request $request The request, signed.
 */
function answer_disconnect( WP_REST_Request $request ): WP_REST_Response {
	global $wpdb;
	$connection = connection();
	if ( null !== $connection ) {
		// A connection from wp-config.php is still there: it must not register itself again.
		update_option( DISCONNECTED_OPTION, $connection->id, true );
	}
	forget_registration();
	delete_option( CONNECTION_OPTION );
	$key = $request->get_json_params()['consumer_key'] ?? null;
	if ( is_string( $key ) && preg_match( '/^ck_[0-9A-Za-z]{40}$/D', $key ) ) {
		// phpcs:ignore WordPress.DB.DirectDatabaseQuery
		$wpdb->delete( $wpdb->prefix . 'woocommerce_api_keys', array( 'consumer_key' => wc_api_hash( $key ) ), array( '%s' ) );
	}
	return new WP_REST_Response( array( 'status' => 'disconnected' ) );
}
