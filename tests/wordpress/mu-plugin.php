<?php
/**
 * Plugin Name: Nexpura tests
 * Description: Lets the tests speak to the shop's inside, keeps the shop from speaking to the world.
 *
 * Loaded as a must-use plugin by the shops that the tests start, and by no other.
 */

declare(strict_types=1);

defined( 'ABSPATH' ) || exit;

require_once __DIR__ . '/run.php';
require_once __DIR__ . '/custom-status.php';

// WordPress's safe requests refuse loopback and uncommon ports, which is all that tests have.
add_filter( 'http_request_host_is_external', static fn( $external, $host ) => $external || '127.0.0.1' === $host, 10, 2 );
add_filter(
	'http_allowed_safe_ports',
	static function ( array $ports, string $host, string $url ): array {
		$port = wp_parse_url( $url, PHP_URL_PORT );
		return '127.0.0.1' === $host && $port ? array( ...$ports, $port ) : $ports;
	},
	10,
	3
);

// No mail leaves, and none is waited for.
add_filter( 'pre_wp_mail', '__return_true' );

// A gateway that pays at once or declines, as a card's does; none of WooCommerce's own calls payment_complete().
add_filter(
	'woocommerce_payment_gateways',
	static function ( array $gateways ): array {
		require_once __DIR__ . '/card-gateway.php';
		$gateways[] = Nexpura_Tests_Card_Gateway::class;
		return $gateways;
	}
);

// A shop may have a status of its own.
add_action(
	'init',
	static function (): void {
		if ( 'yes' === get_option( Nexpura_Tests\CUSTOM_STATUS_OPTION ) ) {
			Nexpura_Tests\register_custom_status();
		}
	}
);

// A test may have a process die as the machine under it would: with the statement after the first that this pattern fits,
// and with it the other workers of its pool.
add_action(
	'wp_loaded',
	static function (): void {
		$pattern = (string) get_option( 'nexpura_tests_dies_after', '' );
		if ( '' === $pattern ) {
			return;
		}
		add_filter(
			'query',
			static function ( string $query ) use ( $pattern ): string {
				static $dies = false;
				if ( $dies ) {
					if ( 'fpm-fcgi' === PHP_SAPI ) {
						$master = posix_getppid();
						$others = array_diff( explode( ' ', trim( file_get_contents( "/proc/$master/task/$master/children" ) ) ), array( (string) getmypid() ) );
						array_map( static fn( string $other ): bool => posix_kill( (int) $other, 9 ), $others );
					}
					posix_kill( getmypid(), 9 ); // SIGKILL: its name comes with pcntl, which PHP-FPM has not.
				}
				$dies = 1 === preg_match( $pattern, $query );
				return $query;
			},
			PHP_INT_MAX
		);
	}
);

// The door for the tests: code or a verb with its arguments comes in, what it returned goes out as JSON.
add_action(
	'wp_loaded',
	static function (): void {
		$token = $_SERVER['HTTP_X_NEXPURA_TESTS'] ?? '';
		if ( ! defined( 'NEXPURA_TESTS_TOKEN' ) || ! hash_equals( NEXPURA_TESTS_TOKEN, $token ) ) {
			return;
		}
		$answer = nexpura_tests_run( (array) json_decode( file_get_contents( 'php://input' ), true ) );
		status_header( isset( $answer['error'] ) ? 500 : 200 );
		header( 'Content-Type: application/json' );
		echo wp_json_encode( $answer );
		exit;
	},
	PHP_INT_MAX
);
