<?php
/**
 * Our plugin's connection, as its settings page makes and ends it.
 */

declare(strict_types=1);

namespace Nexpura_Tests;

/**
 * Keeps the connection string as the settings page does, and connects.
 *
 * @param array{string:string} $args The connection string.
 * @return array{problem:string,message:string}
 */
function connect( array $args ): array {
	update_option( \Nexpura\CONNECTION_OPTION, $args['string'] );
	$connection = \Nexpura\connection();
	if ( null === $connection ) {
		$problem = \Nexpura\parse_connection( $args['string'] );
		throw new \RuntimeException( is_string( $problem ) ? $problem : 'the connection string was not taken' );
	}
	$answer = \Nexpura\connect( $connection );
	return array( 'problem' => $answer->problem, 'message' => $answer->message );
}

/** Runs the plugin's event of every five minutes, as WP-Cron would. */
function run_five_minute_event(): bool {
	do_action( \Nexpura\TICK_HOOK );
	return true;
}

/**
 * How the connection's spool stands; nothing where there is no extension.
 *
 * @return array<string,mixed>|null
 */
function spool_status(): ?array {
	return \Nexpura\spool_status();
}
