<?php
/**
 * The shop's counter per resource, raised before a read and compared after: its value is `rev`.
 *
 * A reading with a higher `rev` is newer, whatever order it arrives in. The table needs InnoDB: one row, one lock.
 *
 * @package Nexpura
 */

namespace Nexpura;

defined( 'ABSPATH' ) || exit;

const SCHEMA_OPTION  = 'nexpura_schema';
const SCHEMA_VERSION = '1';

/**
 * The table's name in this blog.
 */
function revisions_table(): string {
	global $wpdb;
	return $wpdb->prefix . 'nexpura_rev';
}

/**
 * Makes or upgrades the table where it is not as this version wants it.
 */
function ensure_revisions_table(): void {
	if ( SCHEMA_VERSION === get_option( SCHEMA_OPTION ) ) {
		return;
	}
	global $wpdb;
	require_once ABSPATH . 'wp-admin/includes/upgrade.php';
	$table   = revisions_table();
	$collate = $wpdb->get_charset_collate();
	// `raised_at` tells a REST answer whether the counter moved while it was built.
	dbDelta(
		"CREATE TABLE {$table} (
			resource varchar(16) NOT NULL,
			id bigint(20) unsigned NOT NULL,
			rev bigint(20) unsigned NOT NULL,
			raised_at datetime(6) NOT NULL,
			PRIMARY KEY  (resource,id)
		) ENGINE=InnoDB {$collate};"
	);
	if ( revisions_engine() ) {
		update_option( SCHEMA_OPTION, SCHEMA_VERSION, true );
	}
}

/**
 * Makes the table again where somebody removed it.
 */
function repair_revisions_table(): void {
	if ( null === revisions_engine() ) {
		delete_option( SCHEMA_OPTION );
		ensure_revisions_table();
	}
}

/**
 * The storage engine of the table, or null when it is not there.
 */
function revisions_engine(): ?string {
	global $wpdb;
	// phpcs:ignore WordPress.DB.DirectDatabaseQuery
	return $wpdb->get_var(
		$wpdb->prepare(
			'SELECT ENGINE FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s',
			revisions_table()
		)
	);
}

/**
 * Raises a resource's counter and gives its new value, or null when the database refuses.
 *
 * @param string $resource order, product or customer.
 * @param int    $id       WooCommerce's id.
 */
function raise_revision( string $resource, int $id ): ?int {
	global $wpdb;
	ensure_revisions_table();
	$table = revisions_table();
	$quiet = $wpdb->suppress_errors( true );
	// phpcs:disable WordPress.DB
	$raised = $wpdb->query(
		$wpdb->prepare(
			"INSERT INTO {$table} (resource, id, rev, raised_at) VALUES (%s, %d, LAST_INSERT_ID(1), UTC_TIMESTAMP(6))
			ON DUPLICATE KEY UPDATE rev = LAST_INSERT_ID(rev + 1), raised_at = VALUES(raised_at)",
			$resource,
			$id
		)
	);
	$rev    = $raised ? (int) $wpdb->insert_id : 0;
	$wpdb->suppress_errors( $quiet );
	if ( $rev <= 0 ) {
		log_warning( 'The table ' . $table . ' could not be written; readings go without a revision.' );
		return null;
	}
	return $rev;
}

/**
 * A resource's counter as it stands, or null when it was never raised.
 *
 * @param string $resource order, product or customer.
 * @param int    $id       WooCommerce's id.
 */
function current_revision( string $resource, int $id ): ?int {
	global $wpdb;
	$table = revisions_table();
	$quiet = $wpdb->suppress_errors( true );
	// phpcs:ignore WordPress.DB.DirectDatabaseQuery, WordPress.DB.PreparedSQL.InterpolatedNotPrepared
	$rev = $wpdb->get_var( $wpdb->prepare( "SELECT rev FROM {$table} WHERE resource = %s AND id = %d", $resource, $id ) );
	$wpdb->suppress_errors( $quiet );
	return null === $rev ? null : (int) $rev;
}

/**
 * The database's own clock, for revisions_before(); null when it does not tell.
 */
function database_now(): ?string {
	global $wpdb;
	$quiet = $wpdb->suppress_errors( true );
	$now   = $wpdb->get_var( 'SELECT UTC_TIMESTAMP(6)' ); // phpcs:ignore WordPress.DB.DirectDatabaseQuery
	$wpdb->suppress_errors( $quiet );
	return $now;
}

/**
 * The counters of these resources that have not moved since a moment: what was read after it carries them.
 *
 * @param string $resource order, product or customer.
 * @param int[]  $ids      WooCommerce's ids.
 * @param string $moment   What database_now() said before anything was read.
 * @return array<int, int> Counter by id; ids without one, or with a moving one, are left out.
 */
function revisions_before( string $resource, array $ids, string $moment ): array {
	global $wpdb;
	if ( array() === $ids ) {
		return array();
	}
	$table = revisions_table();
	$marks = implode( ',', array_fill( 0, count( $ids ), '%d' ) );
	$quiet = $wpdb->suppress_errors( true );
	// phpcs:ignore WordPress.DB
	$rows = $wpdb->get_results( $wpdb->prepare( "SELECT id, rev FROM {$table} WHERE resource = %s AND raised_at < %s AND id IN ({$marks})", $resource, $moment, ...$ids ) );
	$wpdb->suppress_errors( $quiet );
	$revisions = array();
	foreach ( (array) $rows as $row ) {
		$revisions[ (int) $row->id ] = (int) $row->rev;
	}
	return $revisions;
}
