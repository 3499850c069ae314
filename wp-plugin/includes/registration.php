<?php
/**
 * Connecting and disconnecting: a REST key of our own, registered with the relay, and the address pinned.
 *
 * @package Nexpura
 */

namespace Nexpura;

defined( 'ABSPATH' ) || exit;

const DISCONNECTED_OPTION = 'nexpura_disconnected';
const LOCK_OPTION         = 'nexpura_lock';
/** As many keys are kept of which nobody knows whether the relay has them. */
const UNSURE_KEYS = 3;

/**
 * Registers this shop with the relay. The key is made for it and removed again when the relay refuses it. Where it is
 * not known whether the relay took it, it stays until a registration succeeds: the relay may have no other.
 *
 * @param Connection $connection The connection to use.
 */
function connect( Connection $connection ): RelayAnswer {
	if ( ! take_lock() ) {
		return new RelayAnswer( 'busy', __( 'The shop is being connected at this moment. Look again in a minute.', 'nexpura' ) );
	}
	try {
		delete_option( DISCONNECTED_OPTION );
		$key    = make_rest_key();
		$answer = null === $key
			? new RelayAnswer( 'no-key', __( 'WooCommerce\'s REST key could not be made: an administrator or shop manager must own it. Connect from such an account.', 'nexpura' ) )
			: register_key( $connection, $key );
		if ( '' === $answer->problem ) {
			return $answer;
		}
		$unsure = array();
		if ( null !== $key && $answer->is_refusal() ) {
			remove_rest_key( $key['key_id'] );
		} elseif ( null !== $key ) {
			$unsure[] = $key['key_id'];
		}
		remember_problem( $connection, $answer, $unsure );
		return $answer;
	} finally {
		delete_option( LOCK_OPTION );
	}
}

/**
 * Registers this shop with the connection that is configured.
 */
function connect_configured(): RelayAnswer {
	$connection = connection();
	if ( null !== $connection ) {
		return connect( $connection );
	}
	$configured = configured_connection();
	$reason     = null === $configured ? '' : parse_connection( $configured['text'] );
	return new RelayAnswer(
		'no-connection',
		is_string( $reason ) && '' !== $reason ? $reason : __( 'There is no connection string: paste the one that Nexpura showed when the connection was made.', 'nexpura' )
	);
}

/**
 * Keeps a connection string that a person gave, and registers this shop with it.
 *
 * One that fails is kept to be tried again, unless another was in use: a slip must not end a connection that works.
 *
 * @param string $text What was pasted.
 */
function connect_pasted( #[\SensitiveParameter] string $text ): RelayAnswer {
	$configured = configured_connection();
	$parsed     = parse_connection( $text );
	if ( is_string( $parsed ) ) {
		return new RelayAnswer( 'malformed', $parsed );
	}
	if ( null !== $configured && 'settings' !== $configured['source'] ) {
		if ( trim( $configured['text'] ) === $parsed->text ) {
			return connect( $parsed );
		}
		/* translators: %s: where the connection string was found. */
		return new RelayAnswer( 'elsewhere', sprintf( __( 'Another connection string is taken from %s; change it there.', 'nexpura' ), source_label( $configured['source'] ) ) );
	}
	$worked = is_connected();
	update_option( CONNECTION_OPTION, $parsed->text, true );
	$answer = connect( $parsed );
	if ( '' !== $answer->problem && $worked && null !== $configured && trim( $configured['text'] ) !== $parsed->text ) {
		update_option( CONNECTION_OPTION, $configured['text'], true );
		hand_problem_back();
		return new RelayAnswer( $answer->problem, $answer->message . ' ' . __( 'The connection in use so far stays.', 'nexpura' ) );
	}
	return $answer;
}

/**
 * Tells the relay of the key, and remembers what it accepted.
 *
 * @param Connection                                                                      $connection The connection.
 * @param array{key_id: int, user_id: int, consumer_key: string, consumer_secret: string} $key        The new key.
 */
function register_key( Connection $connection, array $key ): RelayAnswer {
	$answer = post_to_relay(
		$connection,
		'v1/connect',
		array(
			'store_id'      => store_id(),
			'home_url'      => home(),
			'rest_url'      => rest_url(),
			'key'           => array(
				'consumer_key'    => $key['consumer_key'],
				'consumer_secret' => $key['consumer_secret'],
			),
			'versions'      => versions(),
			'order_storage' => order_storage(),
			'pushes'        => pushes_counted(),
		)
	);
	if ( '' !== $answer->problem ) {
		return $answer;
	}
	$before = registered();
	// Before the first push of the count that it begins: until the registration is kept, none is let in. A relay that
	// names no count begins one for each ledger, and the connection's id begins with whose ledger it is.
	begin_pushes_for( is_string( $answer->data['pushes'] ?? null ) ? $answer->data['pushes'] : substr( $connection->id, 0, 32 ) );
	update_option(
		REGISTERED_OPTION,
		array(
			'connection_id' => $connection->id,
			'relay'         => $connection->relay,
			'home'          => home(),
			'key_id'        => $key['key_id'],
			'user_id'       => $key['user_id'],
			'at'            => time(),
			'mode'          => sanitize_key( (string) ( $answer->data['mode'] ?? '' ) ),
			'store'         => sanitize_text_field( (string) ( $answer->data['store'] ?? '' ) ),
			'fingerprint'   => fingerprint(),
			'clock_offset'  => $answer->clock_offset,
		),
		true
	);
	forget_problem();
	forget_standing();
	if ( null !== $before ) {
		remove_rest_key( (int) $before['key_id'] );
	}
	return $answer;
}

/**
 * Ends the connection by a person's wish. The relay is told; whether it hears it or not, the key is gone.
 */
function disconnect(): ?RelayAnswer {
	$connection = connection();
	$state      = registered();
	$answer     = null === $connection || null === $state || is_moved()
		? null
		: post_to_relay( $connection, 'v1/disconnect', array( 'store_id' => store_id() ) );
	if ( null !== $connection ) {
		// A connection from wp-config.php is still there: it must not register itself again.
		update_option( DISCONNECTED_OPTION, $connection->id, true );
	}
	forget_registration();
	delete_option( CONNECTION_OPTION );
	return $answer;
}

/**
 * Makes a copy of a shop a store of its own: a new identity, and nothing of the original's connection.
 */
function become_own_store(): void {
	forget_registration();
	delete_option( CONNECTION_OPTION );
	delete_option( LINEAGE_OPTION );
	delete_option( STORE_ID_OPTION );
	$connection = connection();
	if ( null !== $connection ) {
		update_option( DISCONNECTED_OPTION, $connection->id, true );
	}
}

/**
 * Forgets the registration and removes its key and its webhooks.
 */
function forget_registration(): void {
	$state = registered();
	if ( null !== $state ) {
		remove_rest_key( (int) $state['key_id'] );
		remove_webhooks( $state['connection_id'] );
	}
	delete_option( REGISTERED_OPTION );
	forget_problem();
}

/**
 * Versions of everything that the relay may have to know about.
 *
 * @return array<string, string|null> `plugin`, `extension` (null without it), and those of WordPress, WooCommerce and PHP.
 */
function versions(): array {
	return array(
		'plugin'      => VERSION,
		'extension'   => extension_version(),
		'wordpress'   => get_bloginfo( 'version' ),
		'woocommerce' => (string) WC_VERSION,
		'php'         => PHP_VERSION,
	);
}

/**
 * What the relay was told of this installation; where it changes, it is told again.
 */
function fingerprint(): string {
	return md5( (string) to_json( versions() + array( 'storage' => order_storage() ) ) );
}

/**
 * Keeps why a registration failed, for the notice and for the pause before the next attempt.
 *
 * @param Connection  $connection The connection that was tried.
 * @param RelayAnswer $answer     What came of it.
 * @param int[]       $unsure     Keys that the relay may have taken.
 */
function remember_problem( Connection $connection, RelayAnswer $answer, array $unsure ): void {
	$before   = problem();
	$attempts = null !== $before && $before['connection_id'] === $connection->id ? $before['attempts'] + 1 : 1;
	$keys     = array_merge( unsure_keys( $before ), $unsure );
	array_map( __NAMESPACE__ . '\remove_rest_key', array_slice( $keys, 0, -UNSURE_KEYS ) );
	update_option(
		PROBLEM_OPTION,
		array(
			'connection_id' => $connection->id,
			'problem'       => $answer->problem,
			'message'       => $answer->message,
			'at'            => time(),
			'attempts'      => $attempts,
			'key_ids'       => array_slice( $keys, -UNSURE_KEYS ),
		),
		false
	);
}

/**
 * The keys that the relay may have taken without this shop hearing of it.
 *
 * @param array<string, mixed>|null $problem As problem() gives it.
 * @return int[]
 */
function unsure_keys( ?array $problem ): array {
	return array_map( 'intval', (array) ( $problem['key_ids'] ?? array() ) );
}

/**
 * Forgets why a registration failed, and removes the keys that nobody needs any more.
 */
function forget_problem(): void {
	array_map( __NAMESPACE__ . '\remove_rest_key', unsure_keys( problem() ) );
	delete_option( PROBLEM_OPTION );
}

/**
 * A connection that was tried in place of the one in use has failed. Where the relay may have taken its key all the
 * same, the one in use has to be registered anew: the relay may have lost the key that it had.
 */
function hand_problem_back(): void {
	$problem    = problem();
	$connection = connection();
	if ( null === $connection || array() === unsure_keys( $problem ) ) {
		delete_option( PROBLEM_OPTION );
		return;
	}
	update_option( PROBLEM_OPTION, array( 'connection_id' => $connection->id ) + $problem, false );
}

/**
 * Why the last registration failed, or null when it did not.
 *
 * @return array{connection_id: string, problem: string, message: string, at: int, attempts: int, key_ids?: int[]}|null
 */
function problem(): ?array {
	$problem = get_option( PROBLEM_OPTION );
	return is_array( $problem ) && isset( $problem['message'], $problem['connection_id'] ) ? $problem : null;
}

/**
 * Whether a registration is to be tried now without being asked: a new connection, or news for the relay.
 */
function is_registration_due(): bool {
	$connection = connection();
	if ( null === $connection || is_moved() || get_option( DISCONNECTED_OPTION ) === $connection->id ) {
		return false;
	}
	$problem = problem();
	$failed  = null !== $problem && $problem['connection_id'] === $connection->id;
	// The command line may run another PHP than the shop does: only the shop's own may correct what the relay knows.
	$told = is_connected() && ( 'cli' === PHP_SAPI || ( ! $failed && fingerprint() === registered()['fingerprint'] ) );
	if ( $told ) {
		return false;
	}
	if ( ! $failed ) {
		return true;
	}
	$pause = min( HOUR_IN_SECONDS, MINUTE_IN_SECONDS * 2 ** min( $problem['attempts'] - 1, 6 ) );
	return abs( time() - $problem['at'] ) >= $pause;
}

/**
 * Whether this request may and should do what nobody waits for: in the admin and in WP-Cron only.
 */
function has_background_work(): bool {
	$allowed = wp_doing_cron() || ( is_admin() && ! wp_doing_ajax() && current_user_can( 'manage_woocommerce' ) );
	return $allowed && ! wp_installing() && null === woocommerce_problem() && is_registration_due();
}

/**
 * The work that has_background_work() found.
 */
function do_background_work(): void {
	$connection = connection();
	if ( null !== $connection ) {
		connect( $connection );
	}
}

/**
 * Takes the lock under which one request at a time connects; one left by a killed process is broken after a minute.
 */
function take_lock(): bool {
	$now = (string) time();
	if ( claim_option( LOCK_OPTION, $now ) ) {
		return true;
	}
	$held = (string) stored_option( LOCK_OPTION );
	return '' !== $held && abs( time() - (int) $held ) > 60 && swap_option( LOCK_OPTION, $held, $now );
}
