<?php
/**
 * The nonce of this database's lineage: hourly the shop stores a new one and then tells the relay both.
 *
 * A restored or copied database repeats an old one, which is how the relay finds out that two shops have become of one.
 *
 * @package Nexpura
 */

namespace Nexpura;

defined( 'ABSPATH' ) || exit;

const LINEAGE_OPTION = 'nexpura_lineage';
/** Seconds between two nonces. */
const LINEAGE_SECONDS = HOUR_IN_SECONDS;
/** Seconds after which a nonce that was stored but never told is told again: its process was killed in between. */
const LINEAGE_RETRY_SECONDS = MINUTE_IN_SECONDS;

/**
 * Advances the nonce where an hour has passed, and tells one that was never told. Two requests never both advance.
 */
function advance_lineage_when_due(): void {
	if ( ! captures() ) {
		return;
	}
	// The option is autoloaded: on most requests this costs no query.
	$state = read_lineage( (string) get_option( LINEAGE_OPTION, '' ) );
	if ( null === $state || is_lineage_due( $state, time() ) ) {
		advance_lineage( false );
	}
}

/**
 * Advances the nonce whether an hour has passed or not: an event that changes nothing, for a person who tries the way.
 *
 * @return bool Whether one is in the spool.
 */
function advance_lineage_now(): bool {
	return captures() && advance_lineage( true );
}

/**
 * Advances the nonce, or tells again the one that was never told.
 *
 * @param bool $anyway Whether also where none is due.
 * @return bool Whether one is in the spool.
 */
function advance_lineage( bool $anyway ): bool {
	$now = time();
	// The chain begins with a nonce that only this database has ever known.
	claim_option( LINEAGE_OPTION, write_lineage( wp_generate_uuid4(), '', 0, true ) );
	$text  = (string) stored_option( LINEAGE_OPTION );
	$state = read_lineage( $text );
	if ( null === $state || ( ! $anyway && ! is_lineage_due( $state, $now ) ) ) {
		return false;
	}
	if ( $state['told'] ) {
		$previous = $state['nonce'];
		$nonce    = wp_generate_uuid4();
	} else {
		// The same pair again: told twice it is one step, a new one would be a gap in the chain.
		$previous = $state['previous'];
		$nonce    = $state['nonce'];
	}
	$untold = write_lineage( $nonce, $previous, $now, false );
	if ( ! swap_option( LINEAGE_OPTION, $text, $untold ) || ! \nexpura_lineage( $previous, $nonce ) ) {
		return false;
	}
	swap_option( LINEAGE_OPTION, $untold, write_lineage( $nonce, $previous, $now, true ) );
	return true;
}

/**
 * Whether something has to be told now. A clock that was set back must not stop the chain.
 *
 * @param array{nonce: string, previous: string, at: int, told: bool} $state What is stored.
 * @param int                                                         $now   Seconds since 1970.
 */
function is_lineage_due( array $state, int $now ): bool {
	return abs( $now - $state['at'] ) >= ( $state['told'] ? LINEAGE_SECONDS : LINEAGE_RETRY_SECONDS );
}

/**
 * The stored state as text, the same text for the same state: it is compared as a whole.
 *
 * @param string $nonce    The present nonce.
 * @param string $previous The one before it, empty before the first step.
 * @param int    $at       When it was stored, seconds since 1970.
 * @param bool   $told     Whether it is in the spool.
 */
function write_lineage( string $nonce, string $previous, int $at, bool $told ): string {
	return implode( '|', array( $nonce, $previous, $at, $told ? 'told' : 'untold' ) );
}

/**
 * The stored state, or null when there is none.
 *
 * @param string $text What write_lineage() made.
 * @return array{nonce: string, previous: string, at: int, told: bool}|null
 */
function read_lineage( string $text ): ?array {
	$part = explode( '|', $text );
	return 4 === count( $part ) ? array(
		'nonce'    => $part[0],
		'previous' => $part[1],
		'at'       => (int) $part[2],
		'told'     => 'told' === $part[3],
	) : null;
}
