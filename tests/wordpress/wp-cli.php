<?php
/**
 * Runs one `wp` command of a plugin's where wp-cli itself is not installed: it stands for what such a command uses.
 *
 *   php wp-cli.php nexpura flush --seconds=5
 */

declare(strict_types=1);

/**
 * The functions of wp-cli that commands call, with its words, streams and exit status.
 */
final class WP_CLI {
	/** @var array<string, callable> Commands by their words. */
	private static array $commands = array();

	public static function add_command( string $words, callable $command ): bool {
		self::$commands[ $words ] = $command;
		return true;
	}

	public static function line( string $text = '' ): void {
		echo $text, "\n";
	}

	public static function success( string $text ): void {
		self::line( "Success: $text" );
	}

	public static function warning( string $text ): void {
		fwrite( STDERR, "Warning: $text\n" );
	}

	public static function error( string $text ): never {
		fwrite( STDERR, "Error: $text\n" );
		exit( 1 );
	}

	/**
	 * Runs a command as it was typed.
	 *
	 * @param string[] $typed What stood behind `wp`.
	 */
	public static function run( array $typed ): void {
		$options   = array();
		$arguments = array();
		foreach ( $typed as $word ) {
			if ( preg_match( '~^--([a-z-]+)(?:=(.*))?$~s', $word, $part ) ) {
				$options[ $part[1] ] = $part[2] ?? true;
			} else {
				$arguments[] = $word;
			}
		}
		$words = implode( ' ', array_splice( $arguments, 0, 2 ) );
		if ( ! isset( self::$commands[ $words ] ) ) {
			self::error( "'$words' is not a registered wp command." );
		}
		( self::$commands[ $words ] )( $arguments, $options );
	}
}

$_SERVER['HTTP_HOST']      = getenv( 'NEXPURA_TESTS_HOST' );
$_SERVER['REQUEST_METHOD'] = 'GET';
$_SERVER['REQUEST_URI']    = '/';
require getenv( 'NEXPURA_TESTS_TREE' ) . '/wp-load.php';
// Only now: WooCommerce's own commands need more of wp-cli than there is here.
define( 'WP_CLI', true );
require dirname( Nexpura\PLUGIN_FILE ) . '/includes/cli.php';
WP_CLI::run( array_slice( $argv, 1 ) );
