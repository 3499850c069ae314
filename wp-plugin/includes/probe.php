<?php
/**
 * "Send test event" and "Send now": whether what this shop captures arrives, tried from end to end.
 *
 * @package Nexpura
 */

namespace Nexpura;

defined( 'ABSPATH' ) || exit;

/** Seconds that a person waits for it at most. */
const PROBE_SECONDS = 10;

add_action(
	'admin_post_nexpura_probe',
	static function (): void {
		require_permission( 'probe' );
		$problem = probe();
		return_with( null === $problem['problem'], $problem['problem'] ?? $problem['said'] );
	}
);

add_action(
	'admin_post_nexpura_drain',
	static function (): void {
		require_permission( 'drain' );
		if ( ! captures() ) {
			return_with( false, __( 'There is nothing here to send: the PHP extension is not loaded, or this shop is not connected.', 'nexpura' ) );
		}
		$status = drain( PROBE_SECONDS );
		return_with( $status['left'] < 1, $status['message'] );
	}
);

/**
 * Sends what is in the spool until it is empty or the time is up.
 *
 * @param int $seconds How long to try.
 * @return array{sent: int, left: int, problem: string, message: string} `problem` is what the sender said, for support; empty where nothing is left.
 */
function drain( int $seconds ): array {
	$status = \nexpura_drain( $seconds );
	$sent   = (int) ( $status['sent'] ?? 0 );
	$left   = (int) ( $status['unsent'] ?? 0 );
	$said   = $left > 0 ? as_sentence( (string) ( $status['last_error'] ?? '' ) ) : '';
	if ( '' !== $said ) {
		log_warning( 'sending the spool failed: ' . $said );
	}
	forget_standing();
	return array(
		'sent'    => $sent,
		'left'    => $left,
		'problem' => $said,
		'message' => $left > 0
			/* translators: 1: number sent, 2: number left. */
			? sprintf( __( '%1$s sent, %2$s left. What is left waits here and is sent later by itself.', 'nexpura' ), number_format_i18n( $sent ), number_format_i18n( $left ) )
			/* translators: %s: number sent. */
			: sprintf( __( '%s sent, nothing left.', 'nexpura' ), number_format_i18n( $sent ) ),
	);
}

/**
 * Sends one event that changes nothing the way that every sale takes: into the spool, to the relay, and acknowledged.
 *
 * It is the next nonce of this database's lineage, which the relay checks and keeps. Without the extension there is no
 * such way; then the relay is asked whether it knows this shop.
 *
 * @return array{problem: string|null, said: string}
 */
function probe(): array {
	$answer = static fn( ?string $problem, string $said = '' ): array => array(
		'problem' => $problem,
		'said'    => $said,
	);
	if ( ! is_connected() ) {
		return $answer( __( 'This shop is not connected to Nexpura.', 'nexpura' ) );
	}
	forget_standing();
	if ( ! captures() ) {
		$standing = standing();
		return '' === $standing->problem
			? $answer( null, __( 'Nexpura knows this shop. Without the PHP extension events come by WooCommerce\'s webhooks, which WooCommerce itself sends.', 'nexpura' ) )
			: $answer( $standing->problem );
	}
	$began = hrtime( true );
	if ( ! advance_lineage_now() ) {
		return $answer( __( 'The test event could not be kept on this server: look under “For support” below, and at Tools → Site Health.', 'nexpura' ) );
	}
	$status = drain( PROBE_SECONDS );
	if ( $status['left'] > 0 ) {
		return $answer( __( 'Nexpura did not take the test event yet. It waits here and is sent later by itself; the cause stands under “For support”.', 'nexpura' ) );
	}
	/* translators: %s: number of seconds. */
	return $answer( null, sprintf( __( 'The test event was kept here and sent, and Nexpura acknowledged it within %s seconds.', 'nexpura' ), number_format_i18n( ( hrtime( true ) - $began ) / 1e9, 2 ) ) );
}
