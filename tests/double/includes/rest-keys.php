<?php
/**
 * Consumer keys: Basic over https, OAuth 1.0a over http, for every namespace that begins with `wc/` or `wc-`.
 */

declare(strict_types=1);

/** Whether this request is for one of those namespaces. */
function double_is_rest_request(): bool {
	$path = (string) wp_parse_url( $_SERVER['REQUEST_URI'] ?? '', PHP_URL_PATH );
	return (bool) preg_match( '~/' . preg_quote( rest_get_url_prefix(), '~' ) . '/wc[/-]~', $path );
}

/** The row of a consumer key, or null. */
function double_key( string $consumer_key ): ?object {
	global $wpdb;
	return $wpdb->get_row( $wpdb->prepare( "SELECT * FROM {$wpdb->prefix}woocommerce_api_keys WHERE consumer_key = %s", wc_api_hash( $consumer_key ) ) );
}

/** The user of a request signed by OAuth 1.0a, one-legged; 0 where the signature does not fit. */
function double_user_by_signature(): int {
	$given = wp_unslash( $_GET );
	$key   = double_key( (string) $given['oauth_consumer_key'] );
	$hash  = array( 'HMAC-SHA1' => 'sha1', 'HMAC-SHA256' => 'sha256' )[ $given['oauth_signature_method'] ?? '' ] ?? null;
	if ( ! $key || ! $hash || abs( time() - (int) ( $given['oauth_timestamp'] ?? 0 ) ) > 15 * MINUTE_IN_SECONDS ) {
		return 0;
	}
	$signature = (string) ( $given['oauth_signature'] ?? '' );
	unset( $given['oauth_signature'] );
	$pairs = array();
	foreach ( $given as $name => $value ) {
		$pairs[] = rawurlencode( rawurlencode( $name ) . '=' . rawurlencode( (string) $value ) );
	}
	sort( $pairs );
	$path   = (string) wp_parse_url( $_SERVER['REQUEST_URI'], PHP_URL_PATH );
	$signed = $_SERVER['REQUEST_METHOD'] . '&' . rawurlencode( home_url( $path ) ) . '&' . implode( '%26', $pairs );
	$right  = base64_encode( hash_hmac( $hash, $signed, $key->consumer_secret . '&', true ) );
	return hash_equals( $right, str_replace( ' ', '+', $signature ) ) ? (int) $key->user_id : 0;
}

add_filter(
	'determine_current_user',
	static function ( $user ) {
		if ( $user || ! double_is_rest_request() ) {
			return $user;
		}
		if ( is_ssl() && isset( $_SERVER['PHP_AUTH_USER'], $_SERVER['PHP_AUTH_PW'] ) ) {
			$key = double_key( wp_unslash( $_SERVER['PHP_AUTH_USER'] ) );
			return $key && hash_equals( $key->consumer_secret, wp_unslash( $_SERVER['PHP_AUTH_PW'] ) ) ? (int) $key->user_id : $user;
		}
		return isset( $_GET['oauth_consumer_key'] ) ? ( double_user_by_signature() ?: $user ) : $user;
	},
	15
);

// A key that was shown and did not fit is told apart from one that was not shown.
add_filter(
	'rest_authentication_errors',
	static function ( $errors ) {
		$shown = isset( $_GET['oauth_consumer_key'] ) || ( is_ssl() && isset( $_SERVER['PHP_AUTH_USER'] ) );
		if ( null === $errors && $shown && double_is_rest_request() && 0 === get_current_user_id() ) {
			return new WP_Error( 'woocommerce_rest_authentication_error', 'The key or its signature is wrong.', array( 'status' => 401 ) );
		}
		return $errors;
	}
);
