<?php
/**
 * Site Health: whether anything stands between this shop and its ledger, and what to do about it.
 *
 * @package Nexpura
 */

namespace Nexpura;

use WP_REST_Response;

defined( 'ABSPATH' ) || exit;

/** Seconds that an unsent event may wait before people are told. */
const UNSENT_SECONDS = 300;

add_filter(
	'site_status_tests',
	static function ( $tests ): array {
		$tests                                 = (array) $tests;
		$tests['direct']['nexpura_extension']  = array(
			'label' => __( 'Nexpura: PHP extension', 'nexpura' ),
			'test'  => __NAMESPACE__ . '\test_extension',
		);
		$tests['direct']['nexpura_connection'] = array(
			'label' => __( 'Nexpura: connection', 'nexpura' ),
			'test'  => __NAMESPACE__ . '\test_connection',
		);
		$tests['direct']['nexpura_spool']      = array(
			'label' => __( 'Nexpura: events waiting to be sent', 'nexpura' ),
			'test'  => __NAMESPACE__ . '\test_spool',
		);
		$tests['direct']['nexpura_home']       = array(
			'label' => __( 'Nexpura: shop address', 'nexpura' ),
			'test'  => __NAMESPACE__ . '\test_home',
		);
		$tests['direct']['nexpura_database']   = array(
			'label' => __( 'Nexpura: revision table', 'nexpura' ),
			'test'  => __NAMESPACE__ . '\test_database',
		);
		$tests['async']['nexpura_relay']       = array(
			'label'             => __( 'Nexpura: relay', 'nexpura' ),
			'test'              => rest_url( REST_NAMESPACE . '/health/relay' ),
			'has_rest'          => true,
			'async_direct_test' => __NAMESPACE__ . '\test_relay',
		);
		$tests['async']['nexpura_ledger']      = array(
			'label'             => __( 'Nexpura: how it sees this shop', 'nexpura' ),
			'test'              => rest_url( REST_NAMESPACE . '/health/ledger' ),
			'has_rest'          => true,
			'async_direct_test' => __NAMESPACE__ . '\test_ledger',
		);
		return $tests;
	}
);

add_action(
	'rest_api_init',
	static function (): void {
		foreach ( array( 'relay', 'ledger' ) as $test ) {
			register_rest_route(
				REST_NAMESPACE,
				'/health/' . $test,
				array(
					'methods'             => 'GET',
					'callback'            => static fn(): WP_REST_Response => new WP_REST_Response( ( __NAMESPACE__ . '\\test_' . $test )() ),
					'permission_callback' => static fn(): bool => current_user_can( 'view_site_health_checks' ) || current_user_can( 'manage_woocommerce' ),
				)
			);
		}
	}
);

/**
 * One result in Site Health's shape.
 *
 * @param string $test        The test's name.
 * @param string $status      good, recommended or critical.
 * @param string $label       What was found.
 * @param string $description What it means and what to do.
 * @return array<string, mixed>
 */
function health( string $test, string $status, string $label, string $description ): array {
	return array(
		'test'        => 'nexpura_' . $test,
		'status'      => $status,
		'label'       => $label,
		'badge'       => array(
			'label' => 'Nexpura',
			'color' => 'critical' === $status ? 'red' : 'blue',
		),
		'description' => '<p>' . esc_html( $description ) . '</p>',
		'actions'     => 'good' === $status || ! current_user_can( 'manage_woocommerce' ) ? '' : sprintf(
			'<p><a href="%s">%s</a></p>',
			esc_url( settings_url() ),
			esc_html__( 'Nexpura settings', 'nexpura' )
		),
	);
}

/**
 * The address of the settings page.
 */
function settings_url(): string {
	return admin_url( 'admin.php?page=nexpura' );
}

/**
 * Is the extension loaded?
 *
 * @return array<string, mixed>
 */
function test_extension(): array {
	if ( extension_loaded_here() ) {
		return health(
			'extension',
			'good',
			__( 'The Nexpura PHP extension is loaded', 'nexpura' ),
			/* translators: %s: version. */
			sprintf( __( 'Version %s. Sales are captured as they happen and kept safe until the relay has them.', 'nexpura' ), (string) extension_version() )
		);
	}
	return health( 'extension', 'recommended', __( 'The Nexpura PHP extension is missing', 'nexpura' ), extension_missing_message() );
}

/**
 * What the missing extension means.
 */
function extension_missing_message(): string {
	return __( 'The plugin works without its PHP extension: the relay then uses WooCommerce\'s own webhooks, which come later and can be lost, and finds what they miss by reading the shop every few minutes. For sales within a second, install nexpura.so on the server (see readme.txt), or ask your host to.', 'nexpura' );
}

/**
 * Does the relay know this shop, and is the key still there?
 *
 * @return array<string, mixed>
 */
function test_connection(): array {
	$woocommerce = woocommerce_problem();
	if ( null !== $woocommerce ) {
		return health( 'connection', 'critical', __( 'Nexpura cannot work with this WooCommerce', 'nexpura' ), $woocommerce );
	}
	$configured = configured_connection();
	if ( null === $configured ) {
		return health( 'connection', 'recommended', __( 'This shop is not connected to Nexpura', 'nexpura' ), __( 'Make a connection in Nexpura and paste its connection string under WooCommerce → Nexpura.', 'nexpura' ) );
	}
	$parsed = parse_connection( $configured['text'] );
	if ( is_string( $parsed ) ) {
		/* translators: %s: where the connection string was found. */
		return health( 'connection', 'critical', __( 'The Nexpura connection string is wrong', 'nexpura' ), $parsed . ' ' . sprintf( __( 'It was taken from %s.', 'nexpura' ), source_label( $configured['source'] ) ) );
	}
	if ( ! is_connected() ) {
		return health( 'connection', 'critical', __( 'This shop is not registered with Nexpura', 'nexpura' ), problem()['message'] ?? __( 'Open WooCommerce → Nexpura and connect.', 'nexpura' ) );
	}
	$state = registered();
	if ( ! has_rest_key( (int) $state['key_id'] ) ) {
		return health( 'connection', 'critical', __( 'Nexpura\'s WooCommerce key was removed', 'nexpura' ), __( 'The relay can neither read this shop nor set its stock. Open WooCommerce → Nexpura and connect again: a new key is made.', 'nexpura' ) );
	}
	if ( abs( (int) $state['clock_offset'] ) > MINUTE_IN_SECONDS ) {
		/* translators: %s: a duration such as "7 mins". */
		return health( 'connection', 'recommended', __( 'This server\'s clock is wrong', 'nexpura' ), sprintf( __( 'It was off by %s when the shop was connected. Nexpura corrects for it; set the clock all the same (switch on NTP, or ask your host).', 'nexpura' ), human_time_diff( 0, abs( (int) $state['clock_offset'] ) ) ) );
	}
	/* translators: %s: relay address. */
	return health( 'connection', 'good', __( 'This shop is connected to Nexpura', 'nexpura' ), sprintf( __( 'Its relay is %s.', 'nexpura' ), $state['relay'] ) );
}

/**
 * Can the spool be written, and is it emptied? Asked anew each time: red as soon as it is so.
 *
 * @return array<string, mixed>
 */
function test_spool(): array {
	$status = is_connected() ? spool_status() : null;
	if ( null === $status ) {
		return health( 'spool', 'good', __( 'There is no spool to look after', 'nexpura' ), __( 'Without the extension or a connection nothing is kept here.', 'nexpura' ) );
	}
	$problem = spool_problem( $status );
	if ( null !== $problem ) {
		return health( 'spool', $problem['status'], $problem['label'], trim( $problem['message'] . ' ' . $problem['cause'] ) );
	}
	return health(
		'spool',
		'good',
		__( 'Captured events are sent as they happen', 'nexpura' ),
		sprintf(
			/* translators: 1: number of events, 2: size such as "64 KB", 3: who sends. */
			__( '%1$s waiting, %2$s on disk, sent by: %3$s.', 'nexpura' ),
			number_format_i18n( (int) ( $status['unsent'] ?? 0 ) ),
			(string) size_format( (int) ( $status['bytes'] ?? 0 ) ),
			(string) ( $status['sender'] ?? 'none' )
		)
	);
}

/**
 * What is wrong with the spool, or null: in words for people, and what the extension said of it.
 *
 * @param array<string, mixed> $status The extension's status.
 * @return array{kind: string, status: string, label: string, message: string, cause: string}|null
 */
function spool_problem( array $status ): ?array {
	$said = as_sentence( (string) ( $status['last_error'] ?? '' ) );
	if ( empty( $status['writable'] ) ) {
		return array(
			'kind'    => 'unwritable',
			'status'  => 'critical',
			'label'   => __( 'Nexpura\'s spool cannot be written', 'nexpura' ),
			/* translators: %s: file. */
			'message' => sprintf( __( 'Checkout goes on, but new sales reach Nexpura minutes later, when the relay reads the shop. Free disk space and give PHP the right to write %s (setting nexpura.spool_dir in php.ini).', 'nexpura' ), (string) ( $status['spool'] ?? '' ) ),
			'cause'   => $said,
		);
	}
	$oldest = $status['oldest_unsent_at'] ?? null;
	$age    = null === $oldest ? 0 : time() - (int) $oldest;
	if ( $age > UNSENT_SECONDS ) {
		return array(
			'kind'    => 'waiting',
			'status'  => 'critical',
			'label'   => __( 'Events are waiting to be sent to Nexpura', 'nexpura' ),
			'message' => sprintf(
				/* translators: 1: number of events, 2: a duration such as "7 mins". */
				__( '%1$s events wait, the oldest for %2$s. Nothing is lost: they are sent as soon as Nexpura answers.', 'nexpura' ),
				number_format_i18n( (int) ( $status['unsent'] ?? 0 ) ),
				human_time_diff( (int) $oldest )
			),
			/* translators: 1: relay address, 2: what the sender said. */
			'cause'   => trim( sprintf( __( 'They go to %1$s. %2$s', 'nexpura' ), (string) ( $status['relay'] ?? '' ), $said ) ),
		);
	}
	$limit = (int) ( $status['max_bytes'] ?? 0 );
	if ( $limit > 0 && (int) ( $status['bytes'] ?? 0 ) > 0.8 * $limit ) {
		return array(
			'kind'    => 'full',
			'status'  => 'recommended',
			'label'   => __( 'Nexpura\'s spool is nearly full', 'nexpura' ),
			'message' => __( 'When it is full, product and customer events are dropped first; orders never are. Look whether the relay can be reached, or raise nexpura.spool_max_bytes in php.ini.', 'nexpura' ),
			'cause'   => '',
		);
	}
	return null;
}

/**
 * Is the counter's table there, in an engine that locks one row at a time?
 *
 * @return array<string, mixed>
 */
function test_database(): array {
	$engine = revisions_engine();
	if ( 'InnoDB' === $engine ) {
		return health( 'database', 'good', __( 'Nexpura\'s revision table is in order', 'nexpura' ), __( 'It tells which of two readings of an order is the newer one.', 'nexpura' ) );
	}
	return null === $engine
		/* translators: %s: table name. */
		? health( 'database', 'recommended', __( 'Nexpura\'s revision table is missing', 'nexpura' ), sprintf( __( 'It is made again within five minutes. If it is not, give the database user the right to create tables (%s). Until then each event makes the relay read the shop.', 'nexpura' ), revisions_table() ) )
		/* translators: 1: table name, 2: storage engine. */
		: health( 'database', 'recommended', __( 'Nexpura\'s revision table has the wrong storage engine', 'nexpura' ), sprintf( __( '%1$s uses %2$s; it should use InnoDB. Convert it, or ask your host to.', 'nexpura' ), revisions_table(), $engine ) );
}

/**
 * Is this still the shop that was registered?
 *
 * @return array<string, mixed>
 */
function test_home(): array {
	if ( is_moved() ) {
		return health( 'home', 'critical', __( 'Nexpura has stopped: this shop has another address than the one connected', 'nexpura' ), moved_message() );
	}
	return health( 'home', 'good', __( 'The shop has the address under which it is connected', 'nexpura' ), home() );
}

/**
 * What a differing address means.
 */
function moved_message(): string {
	return sprintf(
		/* translators: 1: address registered, 2: address now. */
		__( 'This shop was connected as %1$s and is now %2$s, so nothing is captured here: a copy must not speak for the shop. Open WooCommerce → Nexpura and say whether the shop has moved or this is a copy.', 'nexpura' ),
		(string) ( registered()['home'] ?? '' ),
		home()
	);
}

/**
 * Does the relay answer? Asked by Site Health in the background.
 *
 * @return array<string, mixed>
 */
function test_relay(): array {
	$connection = connection();
	if ( null === $connection ) {
		return health( 'relay', 'good', __( 'There is no relay to reach', 'nexpura' ), __( 'This shop is not connected to Nexpura.', 'nexpura' ) );
	}
	$response = wp_remote_get(
		$connection->endpoint( 'healthz' ),
		array(
			'timeout'             => 5,
			'redirection'         => 0,
			'limit_response_size' => 1024,
		)
	);
	if ( 200 === wp_remote_retrieve_response_code( $response ) ) {
		/* translators: %s: relay address. */
		return health( 'relay', 'good', __( 'The Nexpura relay can be reached', 'nexpura' ), sprintf( __( '%s answers.', 'nexpura' ), $connection->relay ) );
	}
	$reason = is_wp_error( $response ) ? $response->get_error_message() : 'HTTP ' . wp_remote_retrieve_response_code( $response );
	return health(
		'relay',
		'critical',
		__( 'The Nexpura relay cannot be reached', 'nexpura' ),
		/* translators: 1: relay address, 2: reason. */
		sprintf( __( '%1$s does not answer as it should (%2$s). Sales are kept here and sent later. Check that this server may make outgoing connections to it.', 'nexpura' ), $connection->relay, $reason )
	);
}

/**
 * What the relay itself says of this shop: it may know of something that cannot be seen from here. Asked by Site Health in
 * the background.
 *
 * @return array<string, mixed>
 */
function test_ledger(): array {
	if ( ! is_connected() ) {
		return health( 'ledger', 'good', __( 'There is no Nexpura to ask', 'nexpura' ), __( 'This shop is not connected to Nexpura.', 'nexpura' ) );
	}
	$standing = standing();
	if ( '' !== $standing->problem ) {
		return health( 'ledger', 'critical', __( 'Nexpura says nothing of this shop', 'nexpura' ), store_in_words( $standing ) );
	}
	if ( 'connected' === ( $standing->store['status'] ?? '' ) && ! isset( $standing->store['detail'] ) ) {
		return health( 'ledger', 'good', __( 'Nexpura knows this shop and reads it', 'nexpura' ), __( 'Nexpura follows this shop.', 'nexpura' ) );
	}
	return health( 'ledger', 'critical', __( 'Nexpura has a problem with this shop', 'nexpura' ), (string) ( $standing->store['detail'] ?? $standing->store['status'] ?? '' ) );
}

/**
 * Every test at once, in plain text, for the command line.
 *
 * @return array<int, array{test: string, status: string, label: string, description: string}>
 */
function diagnose(): array {
	$found = array();
	foreach ( array( 'extension', 'connection', 'home', 'database', 'spool', 'relay', 'ledger' ) as $test ) {
		$result  = ( __NAMESPACE__ . '\\test_' . $test )();
		$found[] = array(
			'test'        => $test,
			'status'      => (string) $result['status'],
			'label'       => (string) $result['label'],
			'description' => html_entity_decode( wp_strip_all_tags( (string) $result['description'] ), ENT_QUOTES ),
		);
	}
	return $found;
}
