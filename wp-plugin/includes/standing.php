<?php
/**
 * How this shop's orders and products stand in Nexpura: asked of the relay by admin pages only, and kept for a while.
 *
 * A page asks at most once, for all that it shows, and waits two seconds at most; while the relay does not answer,
 * nobody asks again for a minute.
 *
 * @package Nexpura
 */

namespace Nexpura;

defined( 'ABSPATH' ) || exit;

/** Seconds that a page waits for the relay. */
const STANDING_SECONDS = 2;
/** Seconds for which an answer is believed. */
const STANDING_KEPT = 20;
/** Seconds for which a relay that did not answer is left alone. */
const STANDING_PAUSE = MINUTE_IN_SECONDS;
/** Orders or products that one request may name; see `MAX_IDS` in `relay/src/service/standing.rs`. */
const STANDING_IDS = 100;
/** While it exists the relay is not asked; it holds why. */
const STANDING_PAUSE_TRANSIENT = 'nexpura_standing_pause';
/** While it exists only what was said since then is believed; it is part of every answer's name. */
const STANDING_TURN_TRANSIENT = 'nexpura_standing_turn';

/**
 * What the relay says of a shop and of some of its things.
 */
final class Standing {
	/**
	 * One answer.
	 *
	 * @param string                           $problem  Empty, or why nothing is known, for people.
	 * @param array<string, mixed>             $store    How the relay sees this shop.
	 * @param array<int, array<string, mixed>> $orders   By WooCommerce's id.
	 * @param array<int, array<string, mixed>> $products By WooCommerce's id.
	 * @param string                           $cause    The same problem with all that support wants to know of it.
	 */
	public function __construct(
		public readonly string $problem,
		public readonly array $store = array(),
		public readonly array $orders = array(),
		public readonly array $products = array(),
		public readonly string $cause = ''
	) {}
}

/**
 * Asks the relay, or whatever it said a moment ago.
 *
 * @param int[] $orders   WooCommerce's ids.
 * @param int[] $products WooCommerce's ids.
 */
function standing( array $orders = array(), array $products = array() ): Standing {
	$connection = is_connected() ? connection() : null;
	if ( null === $connection ) {
		return new Standing( __( 'This shop is not connected to Nexpura.', 'nexpura' ) );
	}
	$asked = array(
		'orders'   => array_slice( array_values( array_unique( array_filter( $orders ) ) ), 0, STANDING_IDS ),
		'products' => array_slice( array_values( array_unique( array_filter( $products ) ) ), 0, STANDING_IDS ),
	);
	$kept  = get_transient( standing_transient( $connection, $asked ) );
	if ( is_array( $kept ) ) {
		return read_standing( $kept );
	}
	$pause = get_transient( STANDING_PAUSE_TRANSIENT );
	if ( is_array( $pause ) ) {
		return new Standing( (string) ( $pause['problem'] ?? '' ), cause: (string) ( $pause['cause'] ?? '' ) );
	}
	$answer = post_to_relay( $connection, 'v1/status', $asked, STANDING_SECONDS );
	if ( '' !== $answer->problem ) {
		log_warning( 'asking the relay how things stand failed: ' . $answer->problem );
		// Who sells jewels is not told of sockets: that stands where support looks.
		$pause = array(
			'problem' => in_array( $answer->problem, array( 'unreachable', 'relay-failed' ), true ) ? __( 'Nexpura does not answer.', 'nexpura' ) : $answer->message,
			'cause'   => $answer->message,
		);
		set_transient( STANDING_PAUSE_TRANSIENT, $pause, STANDING_PAUSE );
		return new Standing( $pause['problem'], cause: $pause['cause'] );
	}
	set_transient( standing_transient( $connection, $asked ), $answer->data, STANDING_KEPT );
	return read_standing( $answer->data );
}

/**
 * Forgets what was said, on whatever page it was asked for, and that the relay did not answer.
 */
function forget_standing(): void {
	delete_transient( STANDING_PAUSE_TRANSIENT );
	set_transient( STANDING_TURN_TRANSIENT, wp_generate_uuid4(), STANDING_KEPT );
}

/**
 * Where an answer is kept.
 *
 * @param Connection                            $connection The connection that asks.
 * @param array{orders: int[], products: int[]} $asked      What it asks for.
 */
function standing_transient( Connection $connection, array $asked ): string {
	return 'nexpura_standing_' . md5( $connection->id . get_transient( STANDING_TURN_TRANSIENT ) . to_json( $asked ) );
}

/**
 * An answer's things by their ids; whatever is of another kind is left out.
 *
 * @param array<string, mixed> $data What the relay sent.
 */
function read_standing( array $data ): Standing {
	$by_id = static function ( mixed $things ): array {
		$found = array();
		foreach ( is_array( $things ) ? $things : array() as $thing ) {
			if ( is_array( $thing ) && is_int( $thing['id'] ?? null ) ) {
				$found[ $thing['id'] ] = array_filter( $thing, 'is_scalar' );
			}
		}
		return $found;
	};
	return new Standing(
		'',
		array_filter( is_array( $data['store'] ?? null ) ? $data['store'] : array(), 'is_scalar' ),
		$by_id( $data['orders'] ?? null ),
		$by_id( $data['products'] ?? null )
	);
}

/**
 * How many things of this shop wait here to be sent; 0 without the extension.
 *
 * @param array<string, mixed>|null $spool How the spool stands, where that is known already.
 */
function waiting_here( ?array $spool = null ): int {
	$spool ??= spool_status();
	return null === $spool ? 0 : (int) ( $spool['unsent'] ?? 0 ) + (int) ( $spool['open_intents'] ?? 0 );
}

/**
 * Whether one thing waits here to be sent; where the extension cannot tell of one, whether anything does.
 *
 * @param string $kind order or product.
 * @param int    $id   WooCommerce's id.
 */
function waits_here( string $kind, int $id ): bool {
	static $waiting = array();
	if ( ! is_connected() || waiting_here() < 1 ) {
		return false;
	}
	if ( ! function_exists( 'nexpura_waiting' ) ) {
		return true;
	}
	$waiting[ $kind ] ??= \nexpura_waiting( $kind );
	return in_array( $id, $waiting[ $kind ], true );
}

/**
 * A state in words: what it is called, which of WordPress's icons stands beside it, what explains it, and for whoever has
 * to find the fault what the relay said of it.
 *
 * What waits here is told before what the relay says: it is newer.
 *
 * @param string                    $kind    order or product.
 * @param int                       $id      WooCommerce's id.
 * @param array<string, mixed>|null $thing   What the relay said of the thing.
 * @param string                    $problem Why it said nothing.
 * @return array{state: string, label: string, icon: string, detail: string, cause: string}
 */
function state_in_words( string $kind, int $id, ?array $thing, string $problem ): array {
	$words = static fn( string $state, string $label, string $icon, string $detail = '', string $cause = '' ): array => array(
		'state'  => $state,
		'label'  => $label,
		'icon'   => $icon,
		'detail' => $detail,
		'cause'  => $cause,
	);
	if ( waits_here( $kind, $id ) ) {
		return $words( 'spooled', __( 'Waiting to be sent', 'nexpura' ), 'clock', trim( __( 'It is kept on this server until Nexpura has it.', 'nexpura' ) . ' ' . $problem ) );
	}
	if ( '' !== $problem || null === $thing ) {
		return $words( 'not-known', __( 'Not known right now', 'nexpura' ), 'editor-help', $problem );
	}
	return match ( (string) ( $thing['state'] ?? '' ) ) {
		'in_ledger' => $words( 'in-ledger', __( 'In Nexpura', 'nexpura' ), 'yes-alt' ),
		'failed'    => $words( 'failed', __( 'Failed', 'nexpura' ), 'warning', __( 'Nexpura could not read the latest change, and tries again by itself.', 'nexpura' ), (string) ( $thing['detail'] ?? '' ) ),
		'waiting'   => $words( 'waiting', __( 'On its way', 'nexpura' ), 'clock', __( 'Nexpura has heard of a change and is reading it.', 'nexpura' ) ),
		'unknown'   => $words( 'unknown', __( 'Not in Nexpura', 'nexpura' ), 'minus', __( 'Nexpura has not heard of it yet.', 'nexpura' ) ),
		default     => $words( 'not-known', __( 'Not known right now', 'nexpura' ), 'editor-help' ),
	};
}

/**
 * Prints a state: its icon, its word, and a link to Nexpura's own page where there is one.
 *
 * @param array{state: string, label: string, icon: string, detail: string, cause: string} $words What to say.
 * @param string                                                                           $url   The page; empty where there is none.
 */
function show_state( array $words, string $url ): void {
	printf(
		'<span class="nexpura-state nexpura-%1$s"><span class="dashicons dashicons-%2$s" aria-hidden="true"></span> ',
		esc_attr( $words['state'] ),
		esc_attr( $words['icon'] )
	);
	if ( '' !== $url ) {
		printf( '<a href="%s">%s</a>', esc_url( $url, array( 'http', 'https' ) ), esc_html( $words['label'] ) );
	} else {
		echo esc_html( $words['label'] );
	}
	echo '</span>';
}

/**
 * Prints what the relay said of a fault, small: for whoever has to find it.
 *
 * @param string $cause Empty where there is none.
 */
function show_cause( string $cause ): void {
	if ( '' !== $cause ) {
		echo '<small class="nexpura-cause">' . esc_html( $cause ) . '</small>';
	}
}
