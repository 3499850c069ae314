<?php
/**
 * WooCommerce's REST keys, as its settings make and revoke them.
 */

declare(strict_types=1);

namespace Nexpura_Tests;

/**
 * Makes a key of the administrator's; given halves are taken, else new ones.
 *
 * @param array{permissions:string,consumer_key?:string,consumer_secret?:string} $args What it may do.
 * @return array{consumer_key:string,consumer_secret:string}
 */
function make_key( array $args ): array {
	global $wpdb;
	$key    = $args['consumer_key'] ?? 'ck_' . wc_rand_hash();
	$secret = $args['consumer_secret'] ?? 'cs_' . wc_rand_hash();
	$wpdb->insert(
		$wpdb->prefix . 'woocommerce_api_keys',
		array(
			'user_id'         => 1,
			'description'     => 'By hand',
			'permissions'     => $args['permissions'],
			'consumer_key'    => wc_api_hash( $key ),
			'consumer_secret' => $secret,
			'truncated_key'   => substr( $key, -7 ),
		)
	);
	return array( 'consumer_key' => $key, 'consumer_secret' => $secret );
}

/**
 * Gives a key another permission.
 *
 * @param array{consumer_key:string,permissions:string} $args Which, and what it may do.
 */
function set_key_permission( array $args ): bool {
	global $wpdb;
	return 1 === $wpdb->update(
		$wpdb->prefix . 'woocommerce_api_keys',
		array( 'permissions' => $args['permissions'] ),
		array( 'consumer_key' => wc_api_hash( $args['consumer_key'] ) )
	);
}

/**
 * Revokes a key.
 *
 * @param array{consumer_key:string} $args Which.
 */
function remove_key( array $args ): bool {
	global $wpdb;
	return 1 === $wpdb->delete( $wpdb->prefix . 'woocommerce_api_keys', array( 'consumer_key' => wc_api_hash( $args['consumer_key'] ) ) );
}
