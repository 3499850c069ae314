<?php
/**
 * Leaves nothing behind: options, tables, WooCommerce key, webhooks, spool, scheduled event, on every blog of a network.
 *
 * @package Nexpura
 */

namespace Nexpura;

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

/**
 * Where the extension keeps spools, or null where that cannot be told. Opening one to ask would make it anew.
 */
function spool_directory(): ?string {
	$configured = trim( (string) ini_get( 'nexpura.spool_dir' ) );
	if ( '' !== $configured ) {
		return $configured;
	}
	$system = '/var/lib/nexpura';
	if ( is_dir( $system ) && wp_is_writable( $system ) ) {
		return $system;
	}
	$temporary = (string) getenv( 'TMPDIR' );
	return function_exists( 'posix_geteuid' ) ? ( '' === $temporary ? '/tmp' : $temporary ) . '/nexpura-' . posix_geteuid() : null;
}

/**
 * Removes the spools of these connections. Others may lie beside them: of other shops, or of an agent.
 *
 * @param array<mixed> $ids The connections that this blog had.
 */
function remove_spools( array $ids ): void {
	$directory = spool_directory();
	foreach ( $ids as $id ) {
		if ( null === $directory || ! is_string( $id ) || 1 !== preg_match( '/^[0-9a-f]{64}$/D', $id ) ) {
			continue;
		}
		// Without its lock no sender goes on, in whichever process, so that none makes the rest anew.
		foreach ( array( '.lock', '', '-wal', '-shm' ) as $part ) {
			wp_delete_file( "$directory/$id.db$part" );
		}
	}
}

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
	$pasted = 1 === preg_match( '~^\s*[a-z]+://([0-9a-f]{64})[:@]~i', (string) get_option( 'nexpura_connection' ), $part ) ? $part[1] : null;
	remove_spools( array( $pasted, $state['connection_id'] ?? null, get_option( 'nexpura_disconnected' ) ) );
	foreach ( array( 'connection', 'store_id', 'registered', 'problem', 'disconnected', 'lock', 'lineage', 'schema', 'pushes_schema', 'pushes_ledger', 'synced_schema' ) as $name ) {
		delete_option( 'nexpura_' . $name );
	}
	$wpdb->query( "DELETE FROM {$wpdb->options} WHERE option_name LIKE '\\_transient\\_nexpura\\_%' OR option_name LIKE '\\_transient\\_timeout\\_nexpura\\_%'" );
	$wpdb->query( "DROP TABLE IF EXISTS {$wpdb->prefix}nexpura_rev, {$wpdb->prefix}nexpura_pushes, {$wpdb->prefix}nexpura_synced" );
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
