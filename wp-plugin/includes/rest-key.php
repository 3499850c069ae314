<?php
/**
 * This plugin's own WooCommerce REST key, with which the relay reads and writes the shop.
 *
 * WooCommerce has no function for it; the row is made as WC_Auth makes it.
 *
 * @package Nexpura
 */

namespace Nexpura;

use WP_User;

defined( 'ABSPATH' ) || exit;

/**
 * A new read/write key. Its two halves exist in clear only in what this returns: WooCommerce keeps a hash.
 *
 * @return array{key_id: int, user_id: int, consumer_key: string, consumer_secret: string}|null Null when nobody may
 *         own it or the database refuses.
 */
function make_rest_key(): ?array {
	global $wpdb;
	$user_id = rest_key_owner();
	if ( 0 === $user_id ) {
		return null;
	}
	$consumer_key    = 'ck_' . wc_rand_hash();
	$consumer_secret = 'cs_' . wc_rand_hash();
	// phpcs:ignore WordPress.DB.DirectDatabaseQuery
	$made = $wpdb->insert(
		$wpdb->prefix . 'woocommerce_api_keys',
		array(
			'user_id'         => $user_id,
			'description'     => 'Nexpura',
			'permissions'     => 'read_write',
			'consumer_key'    => wc_api_hash( $consumer_key ),
			'consumer_secret' => $consumer_secret,
			'truncated_key'   => substr( $consumer_key, -7 ),
		),
		array( '%d', '%s', '%s', '%s', '%s', '%s' )
	);
	return $made ? array(
		'key_id'          => (int) $wpdb->insert_id,
		'user_id'         => $user_id,
		'consumer_key'    => $consumer_key,
		'consumer_secret' => $consumer_secret,
	) : null;
}

/**
 * Removes a key of ours, and only one of ours.
 *
 * @param int $key_id The key's id.
 */
function remove_rest_key( int $key_id ): void {
	global $wpdb;
	if ( $key_id > 0 ) {
		// phpcs:ignore WordPress.DB.DirectDatabaseQuery
		$wpdb->delete(
			$wpdb->prefix . 'woocommerce_api_keys',
			array(
				'key_id'      => $key_id,
				'description' => 'Nexpura',
			),
			array( '%d', '%s' )
		);
	}
}

/**
 * Whether a key is still there: a person may have revoked it under WooCommerce → Settings → Advanced.
 *
 * @param int $key_id The key's id.
 */
function has_rest_key( int $key_id ): bool {
	global $wpdb;
	// phpcs:ignore WordPress.DB.DirectDatabaseQuery
	return null !== $wpdb->get_var( $wpdb->prepare( "SELECT key_id FROM {$wpdb->prefix}woocommerce_api_keys WHERE key_id = %d AND permissions = 'read_write'", $key_id ) );
}

/**
 * Whose key it is: the person who connects, else the first administrator, else the first shop manager; 0 for nobody.
 */
function rest_key_owner(): int {
	if ( current_user_can( 'manage_woocommerce' ) ) {
		return get_current_user_id();
	}
	foreach ( array( 'administrator', 'shop_manager' ) as $role ) {
		$users = get_users(
			array(
				'role'    => $role,
				'orderby' => 'ID',
				'number'  => 10,
			)
		);
		foreach ( $users as $user ) {
			if ( $user instanceof WP_User && user_can( $user, 'manage_woocommerce' ) ) {
				return $user->ID;
			}
		}
	}
	return 0;
}
