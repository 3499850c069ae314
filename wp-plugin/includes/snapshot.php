<?php
/**
 * The end of a request: the response is flushed first, then each marked thing is read once and becomes an event.
 *
 * @package Nexpura
 */

namespace Nexpura;

defined( 'ABSPATH' ) || exit;

/** How often an overtaken reading is repeated before the relay is asked to fetch the thing itself. */
const READINGS = 5;
/** Seconds that a process may take for it after the response. */
const READING_SECONDS = 120;

// Registered while plugins load, after WordPress's own shutdown handler; what others register later still runs before
// us, because we go to the end of the line once more when it is our turn.
register_shutdown_function(
	static function (): void {
		register_shutdown_function( __NAMESPACE__ . '\finish_request' );
	}
);

/**
 * Everything of ours that must not be waited for.
 */
function finish_request(): void {
	guarded(
		static function (): void {
			$captured = Marks::$used;
			$waiting  = has_background_work();
			$looks    = ! $captured && true === Capture::$answer;
			if ( ! $captured && ! $waiting && ! $looks ) {
				return;
			}
			flush_response();
			if ( $looks ) {
				// It marked nothing; but another's worker may have been killed with marks and the sender in it.
				\nexpura_finish();
			}
			if ( ! $captured && ! $waiting ) {
				return;
			}
			undisturbed(
				static function () use ( $captured, $waiting ): void {
					if ( $captured ) {
						finish_capture();
					}
					if ( $waiting ) {
						do_background_work();
					}
				},
				true
			);
		},
		null,
		'finishing a request'
	);
}

/**
 * Captures what this request touched. Whatever happens, the extension learns that the request is over.
 */
function finish_capture(): void {
	try {
		if ( can_read() ) {
			capture_marked();
			recheck_deletions();
		}
		advance_lineage_when_due();
	} finally {
		\nexpura_finish();
	}
}

/**
 * Ends the response for the visitor, where the server can; the process goes on.
 */
function flush_response(): void {
	ignore_user_abort( true );
	if ( PHP_SESSION_ACTIVE === session_status() ) {
		// An open session would keep the visitor's next request waiting for us.
		session_write_close();
	}
	if ( function_exists( 'fastcgi_finish_request' ) ) {
		fastcgi_finish_request();
	} elseif ( function_exists( 'litespeed_finish_request' ) ) {
		litespeed_finish_request();
	} else {
		flush();
	}
	if ( function_exists( 'set_time_limit' ) && 0 !== (int) ini_get( 'max_execution_time' ) ) {
		// A bulk edit may have used up its time already; what it did is still to be read.
		set_time_limit( READING_SECONDS );
	}
}

/**
 * Whether this process is fit to read anything. Where it is not, what is marked is told as touches.
 */
function can_read(): bool {
	$last  = error_get_last();
	$fatal = null !== $last && 0 !== ( $last['type'] & ( E_ERROR | E_PARSE | E_CORE_ERROR | E_COMPILE_ERROR | E_USER_ERROR | E_RECOVERABLE_ERROR ) );
	// During an update the classes behind a representation are being replaced.
	return ! $fatal && ! is_file( ABSPATH . '.maintenance' );
}

/**
 * Runs a callback so that nothing of it is printed and nobody notices, as a user who may read the shop.
 *
 * @template T
 * @param callable(): T $callback          What to run.
 * @param bool          $in_shops_language Whether the admin's own language is left for the shop's.
 * @return T
 */
function undisturbed( callable $callback, bool $in_shops_language = false ): mixed {
	static $inside = false;
	if ( $inside ) {
		return $callback();
	}
	$inside   = true;
	$user     = get_current_user_id();
	$reader   = (int) ( registered()['user_id'] ?? 0 );
	$level    = ob_get_level();
	$language = $in_shops_language && is_admin() && determine_locale() !== get_locale() && switch_to_locale( get_locale() );
	ob_start();
	try {
		if ( $reader > 0 && $reader !== $user ) {
			wp_set_current_user( $reader );
		}
		return $callback();
	} finally {
		if ( get_current_user_id() !== $user ) {
			wp_set_current_user( $user );
		}
		while ( ob_get_level() > $level && ob_end_clean() ) {
			continue;
		}
		if ( $language ) {
			restore_previous_locale();
		}
		$inside = false;
	}
}

/**
 * Captures everything that is marked, orders first. Reading can touch things again; that is captured too, once.
 */
function capture_marked(): void {
	static $capturing = false;
	Marks::$sought    = array();
	if ( $capturing ) {
		return;
	}
	$capturing = true;
	try {
		for ( $round = 0; $round < 2 && array() !== Marks::$said; $round++ ) {
			Marks::$said  = array();
			Marks::$since = null;
			$marks        = \nexpura_marks();
			usort( $marks, static fn( array $one, array $other ): int => ( 'order' === $other['resource'] ) <=> ( 'order' === $one['resource'] ) );
			undisturbed(
				static function () use ( $marks ): void {
					foreach ( $marks as $mark ) {
						capture( (string) $mark['resource'], (int) $mark['id'], (string) $mark['verb'] );
					}
				}
			);
		}
	} finally {
		$capturing = false;
	}
}

/**
 * Reads one marked thing and writes its event; a touch where it cannot be read.
 *
 * @param string $resource order, product or customer.
 * @param int    $id       WooCommerce's id.
 * @param string $verb     What the marks say happened.
 */
function capture( string $resource, int $id, string $verb ): void {
	$reading = guarded( static fn(): ?array => read_settled( $resource, $id ), null, 'reading a ' . $resource );
	if ( null === $reading ) {
		\nexpura_capture( $resource, $id, 'deleted' === $verb ? 'updated' : $verb, null, null );
		return;
	}
	if ( $reading['unborn'] ) {
		// Left marked: the extension tells of it as a touch, and the relay sees what it has become by then.
		return;
	}
	if ( in_array( $verb, array( 'deleted', 'restored' ), true ) ) {
		$verb = 'trash' === ( $reading['payload']['status'] ?? '' ) ? 'deleted' : 'restored';
	}
	\nexpura_capture( $resource, $id, $verb, to_json( $reading['payload'] ), to_json( $reading['facts'] ) );
}

/**
 * Raises the counter, reads past every cache, and compares: only a reading that nobody overtook carries its number.
 *
 * @param string $resource order, product or customer.
 * @param int    $id       WooCommerce's id.
 * @return array{payload: array<string, mixed>, facts: array<string, mixed>, unborn: bool}|null Null when there is
 *         nothing to read, or others kept overtaking.
 */
function read_settled( string $resource, int $id ): ?array {
	for ( $attempt = 0; $attempt < READINGS; $attempt++ ) {
		$rev = raise_revision( $resource, $id );
		forget_cached( $resource, $id );
		$thing = find_resource( $resource, $id );
		if ( null === $thing ) {
			return null;
		}
		$payload = represent( $thing );
		if ( null === $payload ) {
			return null;
		}
		$facts = facts( $thing );
		if ( null === $rev || current_revision( $resource, $id ) === $rev ) {
			$facts['rev'] = $rev;
			return array(
				'payload' => $payload,
				'facts'   => $facts,
				'unborn'  => is_unborn( $thing ),
			);
		}
	}
	return null;
}

/**
 * A deletion is captured before it happens; where it then did not happen, that is told too.
 */
function recheck_deletions(): void {
	foreach ( Marks::$deleted as list( $resource, $id ) ) {
		forget_cached( $resource, $id );
		$thing = find_resource( $resource, $id );
		if ( null !== $thing && ( ! $thing instanceof \WP_User || null !== customer_user( $id ) ) ) {
			capture( $resource, $id, 'updated' );
		}
	}
	Marks::$deleted = array();
}
