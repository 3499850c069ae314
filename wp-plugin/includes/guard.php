<?php
/**
 * Keeps every failure of ours away from the shop: nothing escapes, nothing is printed, it is logged once.
 *
 * @package Nexpura
 */

namespace Nexpura;

defined( 'ABSPATH' ) || exit;

/**
 * Runs a callback and gives what it returns, or $otherwise when it throws.
 *
 * @param callable $callback  What to run.
 * @param mixed    $otherwise What to give when it fails.
 * @param string   $doing     What was being done, for the log.
 */
function guarded( callable $callback, mixed $otherwise, string $doing ): mixed {
	try {
		return $callback();
	} catch ( \Throwable $failure ) {
		log_failure( $doing, $failure );
		return $otherwise;
	}
}

/**
 * Writes a failure to WooCommerce's log, source "nexpura"; the same one once a request.
 *
 * Messages of exceptions can quote data, so only the kind and the place are logged.
 *
 * @param string     $doing   What was being done.
 * @param \Throwable $failure What happened.
 */
function log_failure( string $doing, \Throwable $failure ): void {
	log_warning( sprintf( '%s failed: %s at %s:%d', $doing, get_class( $failure ), basename( $failure->getFile() ), $failure->getLine() ) );
}

/**
 * Writes a warning to WooCommerce's log, source "nexpura"; the same one once a request.
 *
 * @param string $message What to say: no personal data, no secret.
 */
function log_warning( string $message ): void {
	static $said = array();
	if ( isset( $said[ $message ] ) ) {
		return;
	}
	$said[ $message ] = true;
	try {
		if ( function_exists( 'wc_get_logger' ) ) {
			wc_get_logger()->warning( $message, array( 'source' => 'nexpura' ) );
		}
	} catch ( \Throwable $unheard ) {
		// A log that cannot be written must not break a checkout either.
		unset( $unheard );
	}
}
