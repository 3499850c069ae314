<?php
/**
 * `wp nexpura connect|status|flush|doctor|disconnect`.
 *
 * @package Nexpura
 */

namespace Nexpura;

use WP_CLI;

defined( 'ABSPATH' ) || exit;

WP_CLI::add_command(
	'nexpura connect',
	/**
	 * Connects this shop to Nexpura.
	 *
	 * ## OPTIONS
	 *
	 * [<connection-string>]
	 * : The line that Nexpura showed. Without it the configured one is used.
	 *
	 * @param string[] $arguments The command's arguments.
	 */
	static function ( array $arguments ): void {
		$woocommerce = woocommerce_problem();
		if ( null !== $woocommerce ) {
			WP_CLI::error( $woocommerce );
		}
		$answer = isset( $arguments[0] ) ? connect_pasted( $arguments[0] ) : connect_configured();
		if ( '' !== $answer->problem ) {
			WP_CLI::error( $answer->message );
		}
		/* translators: %s: relay address. */
		WP_CLI::success( sprintf( __( 'This shop is connected to %s.', 'nexpura' ), registered()['relay'] ?? '' ) );
	}
);

WP_CLI::add_command(
	'nexpura status',
	/**
	 * Shows how this shop stands, as JSON.
	 */
	static function (): void {
		$woocommerce = woocommerce_problem();
		if ( null !== $woocommerce ) {
			WP_CLI::error( $woocommerce );
		}
		WP_CLI::line( (string) wp_json_encode( answer_status(), JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES ) );
	}
);

WP_CLI::add_command(
	'nexpura flush',
	/**
	 * Sends what waits in the spool.
	 *
	 * ## OPTIONS
	 *
	 * [--seconds=<seconds>]
	 * : How long to try. Default 60.
	 *
	 * @param string[]              $arguments The command's arguments.
	 * @param array<string, string> $options   The command's options.
	 */
	static function ( array $arguments, array $options ): void {
		if ( ! extension_loaded_here() ) {
			WP_CLI::error( __( 'The extension nexpura.so is not loaded in this PHP: there is no spool to send.', 'nexpura' ) );
		}
		$refused = open_spool();
		if ( null !== $refused ) {
			WP_CLI::error( $refused );
		}
		$status = drain( max( 1, (int) ( $options['seconds'] ?? 60 ) ) );
		if ( $status['left'] > 0 ) {
			WP_CLI::error( trim( $status['message'] . ' ' . $status['problem'] ) );
		}
		WP_CLI::success( $status['message'] );
	}
);

WP_CLI::add_command(
	'nexpura doctor',
	/**
	 * Looks for anything that stands between this shop and its ledger, and says what to do about it.
	 *
	 * Ends with an error where something is critical. The command line's own PHP is looked at: it may lack the
	 * extension where the web server's has it.
	 *
	 * ## OPTIONS
	 *
	 * [--format=<format>]
	 * : `text` or `json`. Default text.
	 *
	 * @param string[]              $arguments The command's arguments.
	 * @param array<string, string> $options   The command's options.
	 */
	static function ( array $arguments, array $options ): void {
		$findings = diagnose();
		if ( 'json' === ( $options['format'] ?? 'text' ) ) {
			WP_CLI::line( (string) wp_json_encode( $findings, JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES ) );
		} else {
			foreach ( $findings as $finding ) {
				WP_CLI::line( sprintf( '[%s] %s', $finding['status'], $finding['label'] ) );
				if ( 'good' !== $finding['status'] ) {
					WP_CLI::line( '    ' . $finding['description'] );
				}
			}
		}
		$critical = count( array_filter( $findings, static fn( array $finding ): bool => 'critical' === $finding['status'] ) );
		if ( $critical > 0 ) {
			/* translators: %d: number of problems. */
			WP_CLI::error( sprintf( _n( '%d critical problem.', '%d critical problems.', $critical, 'nexpura' ), $critical ) );
		}
		WP_CLI::success( __( 'Nothing stands between this shop and Nexpura.', 'nexpura' ) );
	}
);

WP_CLI::add_command(
	'nexpura disconnect',
	/**
	 * Ends the connection and removes its WooCommerce key.
	 */
	static function (): void {
		$answer = disconnect();
		if ( null !== $answer && '' !== $answer->problem ) {
			WP_CLI::warning( $answer->message );
		}
		WP_CLI::success( __( 'This shop is disconnected from Nexpura, and its key removed.', 'nexpura' ) );
	}
);
