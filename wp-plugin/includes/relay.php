<?php
/**
 * Signed requests to the relay. Only the admin, WP-Cron and WP-CLI come here, never a visitor's request.
 *
 * @package Nexpura
 */

namespace Nexpura;

defined( 'ABSPATH' ) || exit;

/** Seconds that a request to the relay may take: the relay reads this shop before it answers. */
const RELAY_SECONDS = 20;
/** Bytes of an answer that are read at most. */
const RELAY_ANSWER_BYTES = 262144;

/**
 * What the relay said, or why nothing was heard of it.
 */
final class RelayAnswer {
	/**
	 * One answer.
	 *
	 * @param string               $problem      Empty when all is well, else a word for the cause.
	 * @param string               $message      What to do about it, for people.
	 * @param array<string, mixed> $data         The answer's JSON.
	 * @param int                  $clock_offset Seconds by which the relay's clock is ahead of this server's.
	 */
	public function __construct(
		public readonly string $problem,
		public readonly string $message = '',
		public readonly array $data = array(),
		public readonly int $clock_offset = 0
	) {}

	/**
	 * Whether the relay has surely taken nothing of what it was sent. Where no answer came, or one that is not the
	 * relay's own, it may have.
	 */
	public function is_refusal(): bool {
		return ! in_array( $this->problem, array( '', 'unreachable', 'relay-failed', 'unexpected' ), true );
	}
}

/**
 * Posts a signed body. A clock that is off is corrected once, from the relay's `Date` header.
 *
 * @param Connection           $connection The connection.
 * @param string               $path       For example `v1/connect`.
 * @param array<string, mixed> $body       What to send.
 * @param int                  $seconds    How long one attempt may take.
 */
function post_to_relay( Connection $connection, string $path, array $body, int $seconds = RELAY_SECONDS ): RelayAnswer {
	// A registration measures how far the clock is off; what follows begins with that.
	$offset = 'v1/connect' === $path ? 0 : (int) ( registered()['clock_offset'] ?? 0 );
	for ( $attempt = 1; ; $attempt++ ) {
		$response = send_signed( $connection, $path, (string) to_json( $body ), $offset, $seconds );
		if ( 1 !== $attempt || ! is_stale( $response ) ) {
			return read_answer( $connection, $path, $response, $offset );
		}
		$there = strtotime( (string) wp_remote_retrieve_header( $response, 'date' ) );
		if ( false === $there ) {
			return read_answer( $connection, $path, $response, $offset );
		}
		$offset = $there - time();
	}
}

/**
 * One attempt.
 *
 * @param Connection $connection The connection.
 * @param string     $path       The path.
 * @param string     $body       The raw body.
 * @param int        $offset     Seconds to add to this server's clock.
 * @param int        $seconds    How long it may take.
 * @return array|\WP_Error
 */
function send_signed( Connection $connection, string $path, string $body, int $offset, int $seconds ): array|\WP_Error {
	$id        = wp_generate_uuid4();
	$timestamp = time() + $offset;
	return wp_remote_post(
		$connection->endpoint( $path ),
		array(
			'timeout'             => $seconds,
			'redirection'         => 0,
			'limit_response_size' => RELAY_ANSWER_BYTES,
			'headers'             => array(
				'Content-Type'       => 'application/json',
				'Accept'             => 'application/json',
				'webhook-id'         => $id,
				'webhook-timestamp'  => (string) $timestamp,
				'webhook-signature'  => (string) sign( $connection->secret, $id, $timestamp, $body ),
				'nexpura-connection' => $connection->id,
			),
			'body'                => $body,
		)
	);
}

/**
 * Whether the relay believes the signature but not the time.
 *
 * @param array|\WP_Error $response What came back.
 */
function is_stale( array|\WP_Error $response ): bool {
	return 401 === wp_remote_retrieve_response_code( $response )
		&& str_ends_with( (string) ( answer_json( $response )['type'] ?? '' ), '/stale-timestamp' );
}

/**
 * The JSON of an answer, empty where there is none.
 *
 * @param array|\WP_Error $response What came back.
 * @return array<string, mixed>
 */
function answer_json( array|\WP_Error $response ): array {
	$data = json_decode( wp_remote_retrieve_body( $response ), true );
	return is_array( $data ) ? $data : array();
}

/**
 * Puts an answer into words that say what to do.
 *
 * @param Connection      $connection The connection.
 * @param string          $path       What was asked.
 * @param array|\WP_Error $response   What came back.
 * @param int             $offset     By how much the clock was corrected.
 */
function read_answer( Connection $connection, string $path, array|\WP_Error $response, int $offset ): RelayAnswer {
	$relay = $connection->relay;
	if ( is_wp_error( $response ) ) {
		return new RelayAnswer(
			'unreachable',
			sprintf(
				/* translators: 1: relay address, 2: reason. */
				__( 'The relay at %1$s could not be reached (%2$s). Check that the address is right and that this server may make outgoing connections to it, then try again.', 'nexpura' ),
				$relay,
				$response->get_error_message()
			)
		);
	}
	$data   = answer_json( $response );
	$detail = is_string( $data['detail'] ?? null ) ? sanitize_text_field( $data['detail'] ) : '';
	$code   = wp_remote_retrieve_response_code( $response );
	if ( 202 === $code || 204 === $code ) {
		return new RelayAnswer( '', '', array(), $offset );
	}
	// Every answer of the relay's names the store; a page of somebody else's does not.
	if ( 200 === $code && isset( $data['store'] ) ) {
		return new RelayAnswer( '', '', $data, $offset );
	}
	return match ( true ) {
		is_stale( $response ) => new RelayAnswer(
			'clock',
			__( 'This server\'s clock is wrong, so the relay refuses its signature. Set the clock (switch on NTP, or ask your host), then try again.', 'nexpura' )
		),
		401 === $code => new RelayAnswer(
			'wrong-key',
			__( 'The relay does not accept this connection: it was revoked, or its secret is wrong. Make a new connection in Nexpura and paste its connection string here.', 'nexpura' )
		),
		409 === $code && 'v1/connect' !== $path => new RelayAnswer(
			'refused',
			/* translators: %s: what the relay says. */
			sprintf( __( 'The relay does not know this shop under this connection (any more). Open WooCommerce → Nexpura and connect again. %s', 'nexpura' ), $detail )
		),
		409 === $code => new RelayAnswer(
			'other-home',
			trim(
				sprintf(
					/* translators: 1: this shop's address, 2: what the relay says. */
					__( 'This connection belongs to another address than %1$s. If the shop moved, confirm the new address in Nexpura; if this is a copy, make a connection of its own. %2$s', 'nexpura' ),
					home(),
					$detail
				)
			)
		),
		422 === $code => new RelayAnswer(
			'unverified',
			trim(
				sprintf(
					/* translators: 1: REST address of the shop, 2: what the relay says. */
					__( 'The relay could not read this shop at %1$s. Check that the address can be reached from outside, and that no security plugin, password or maintenance mode blocks the REST API, then try again. %2$s', 'nexpura' ),
					rest_url(),
					$detail
				)
			)
		),
		429 === $code => new RelayAnswer( 'busy', __( 'The relay asks to wait: too many attempts. Try again in a few minutes.', 'nexpura' ) ),
		$code >= 500 => new RelayAnswer(
			'relay-failed',
			/* translators: 1: relay address, 2: HTTP status. */
			sprintf( __( 'The relay at %1$s has a problem of its own (HTTP %2$d). Nothing is to be done here; it is tried again by itself.', 'nexpura' ), $relay, $code )
		),
		default => new RelayAnswer(
			'unexpected',
			/* translators: 1: relay address, 2: HTTP status. */
			sprintf( __( 'What answers at %1$s is not a Nexpura relay (HTTP %2$d). Copy the connection string again from Nexpura.', 'nexpura' ), $relay, $code )
		),
	};
}
