<?php
/**
 * Standard Webhooks signatures: `v1,<base64 HMAC-SHA256 of "id.timestamp.body">`.
 *
 * The shape is that of `crates/protocol/src/signature.rs`; `tests/php/golden.php` holds both to the same vectors.
 *
 * @package Nexpura
 */

namespace Nexpura;

defined( 'ABSPATH' ) || exit;

/**
 * The key bytes of `whsec_<base64>`, or null. Prefix and padding may be absent, and both alphabets are read: a
 * connection string holds the URL-safe one.
 *
 * @param string $secret The secret as text.
 */
function decode_secret( #[\SensitiveParameter] string $secret ): ?string {
	$text = str_starts_with( $secret, 'whsec_' ) ? substr( $secret, 6 ) : $secret;
	$text = strtr( rtrim( $text, '=' ), '-_', '+/' );
	if ( ! preg_match( '~^[A-Za-z0-9+/]+$~D', $text ) ) {
		return null;
	}
	// PHP reads more than Rust does (stray bits at the end, white space); only what encodes back to itself is sound.
	$key = base64_decode( $text, true ); // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions.obfuscation_base64_decode
	if ( false === $key || rtrim( base64_encode( $key ), '=' ) !== $text ) { // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions.obfuscation_base64_encode
		return null;
	}
	return $key;
}

/**
 * The signature of one delivery attempt, or null when the secret cannot sign.
 *
 * @param string $secret    The shared secret.
 * @param string $id        This attempt's id.
 * @param int    $timestamp Seconds since 1970.
 * @param string $body      The raw body.
 */
function sign( #[\SensitiveParameter] string $secret, string $id, int $timestamp, string $body ): ?string {
	$key = decode_secret( $secret );
	if ( null === $key ) {
		return null;
	}
	return 'v1,' . base64_encode( hash_hmac( 'sha256', $id . '.' . $timestamp . '.' . $body, $key, true ) ); // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions.obfuscation_base64_encode
}
