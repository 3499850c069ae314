<?php
/**
 * The PHP extension nexpura.so, which keeps the spool and sends: opened lazily, once a request.
 *
 * Its functions catch everything themselves; the plugin works without it, with WooCommerce's webhooks instead.
 *
 * @package Nexpura
 */

namespace Nexpura;

defined( 'ABSPATH' ) || exit;

/** The blog that this request is for; code may switch to others for a while. */
define( __NAMESPACE__ . '\BLOG_ID', get_current_blog_id() );

/**
 * Whether nexpura.so (or what stands in for it) is loaded.
 */
function extension_loaded_here(): bool {
	return function_exists( 'nexpura_open' );
}

/**
 * The extension's version, or null without it.
 */
function extension_version(): ?string {
	if ( ! extension_loaded_here() ) {
		return null;
	}
	$version = phpversion( 'nexpura' );
	return is_string( $version ) && '' !== $version ? $version : (string) ( \nexpura_status()['version'] ?? 'unknown' );
}

/**
 * Opens the connection's spool for this request.
 *
 * @return string|null Null when it is open, else the message for the admin.
 */
function open_spool(): ?string {
	static $answers = array();
	$connection     = connection();
	if ( ! extension_loaded_here() || null === $connection ) {
		return __( 'There is no extension or no connection to open.', 'nexpura' );
	}
	if ( ! array_key_exists( $connection->id, $answers ) ) {
		$answers[ $connection->id ] = \nexpura_open( $connection->text );
	}
	return $answers[ $connection->id ];
}

/**
 * How spool and sender stand, or null where there is none.
 *
 * @return array<string, mixed>|null See the extension's `nexpura_status()`.
 */
function spool_status(): ?array {
	if ( ! extension_loaded_here() || null === connection() ) {
		return null;
	}
	$refused = open_spool();
	$status  = \nexpura_status();
	if ( null !== $refused ) {
		$status['writable']   = false;
		$status['last_error'] = $refused;
	}
	return $status;
}

/**
 * What is known of this request's capturing.
 */
final class Capture {
	/**
	 * What captures() has answered; null where nobody has asked, so that the spool was not opened for capturing.
	 *
	 * @var bool|null
	 */
	public static ?bool $answer = null;
}

/**
 * Whether this request captures: everything is there, the relay knows this shop, and this is not a copy of it.
 */
function captures(): bool {
	if ( get_current_blog_id() !== BLOG_ID ) {
		// The request's spool is another blog's; what is touched in this one, its own sweep finds.
		return false;
	}
	if ( null === Capture::$answer ) {
		if ( ! did_action( 'woocommerce_init' ) ) {
			return false;
		}
		Capture::$answer = ! wp_installing()
			&& extension_loaded_here()
			&& null === woocommerce_problem()
			&& is_connected()
			&& null === open_spool();
	}
	return Capture::$answer;
}
