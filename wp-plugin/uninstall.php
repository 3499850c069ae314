<?php
/**
 * Leaves nothing behind: options, table, WooCommerce key, scheduled event, on every blog of a network.
 *
 * @package Nexpura
 */

namespace Nexpura;

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

/**
 * Removes what this plugin made in the present blog.
 */
function remove_everything_here(): void {
	global $wpdb;
	// phpcs:disable WordPress.DB
	$state   = get_option( 'nexpura_registered' );
	$problem = get_option( 'nexpura_problem' );
	$ours    = array_merge(
		is_array( $state ) && isset( $state['key_id'] ) ? array( $state['key_id'] ) : array(),
		is_array( $problem ) ? (array) ( $problem['key_ids'] ?? array() ) : array()
	);
	$keys    = $wpdb->prefix . 'woocommerce_api_keys';
	if ( array() !== $ours && $wpdb->get_var( $wpdb->prepare( 'SHOW TABLES LIKE %s', $wpdb->esc_like( $keys ) ) ) === $keys ) {
		foreach ( $ours as $key_id ) {
			$wpdb->delete(
				$keys,
				array(
					'key_id'      => (int) $key_id,
					'description' => 'Nexpura',
				),
				array( '%d', '%s' )
			);
		}
	}
	$hooks = $wpdb->prefix . 'wc_webhooks';
	if ( is_array( $state ) && isset( $state['connection_id'] ) && $wpdb->get_var( $wpdb->prepare( 'SHOW TABLES LIKE %s', $wpdb->esc_like( $hooks ) ) ) === $hooks ) {
		$path = '/api/integrations/woocommerce/webhook/' . substr( (string) $state['connection_id'], 0, 32 );
		$wpdb->query( $wpdb->prepare( "DELETE FROM $hooks WHERE delivery_url LIKE %s", '%' . $wpdb->esc_like( $path ) . '%' ) );
	}
	foreach ( array( 'connection', 'store_id', 'registered', 'problem', 'disconnected', 'lock', 'lineage', 'schema', 'pushes_schema', 'pushes_ledger' ) as $name ) {
		delete_option( 'nexpura_' . $name );
	}
	$wpdb->query( "DELETE FROM {$wpdb->options} WHERE option_name LIKE '\\_transient\\_nexpura\\_%' OR option_name LIKE '\\_transient\\_timeout\\_nexpura\\_%'" );
	$wpdb->query( "DROP TABLE IF EXISTS {$wpdb->prefix}nexpura_rev, {$wpdb->prefix}nexpura_pushes" );
	// phpcs:enable
	wp_clear_scheduled_hook( 'nexpura_tick' );
}

if ( is_multisite() ) {
	$nexpura_sites = get_sites(
		array(
			'fields' => 'ids',
			'number' => 0,
		)
	);
	foreach ( $nexpura_sites as $nexpura_site ) {
		switch_to_blog( $nexpura_site );
		remove_everything_here();
		restore_current_blog();
	}
} else {
	remove_everything_here();
}
