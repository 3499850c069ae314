<?php
/**
 * The connection string: where it is found, and how it is read.
 *
 * The rules are those of `crates/protocol/src/connection.rs`; the golden vectors hold the two together.
 *
 * @package Nexpura
 */

namespace Nexpura;

defined( 'ABSPATH' ) || exit;

const CONNECTION_OPTION = 'nexpura_connection';
const SECRET_BYTES      = 32;

/**
 * A connection string taken apart.
 */
final class Connection {
	/**
	 * Only parse_connection() makes one, so that one that exists is sound.
	 *
	 * @param string $id     64 lower-case hexadecimal digits; no secret.
	 * @param string $secret `whsec_…`, the key of the signatures in both directions.
	 * @param string $relay  The relay's address without credentials and without a slash at the end.
	 * @param string $text   The whole string, as the extension wants it.
	 */
	public function __construct(
		public readonly string $id,
		#[\SensitiveParameter] public readonly string $secret,
		public readonly string $relay,
		#[\SensitiveParameter] public readonly string $text
	) {}

	/**
	 * An address on the relay.
	 *
	 * @param string $path For example `v1/connect`.
	 */
	public function endpoint( string $path ): string {
		return $this->relay . '/' . $path;
	}

	/**
	 * What a dump may show: never the secret.
	 */
	public function __debugInfo(): array {
		return array(
			'id'    => $this->id,
			'relay' => $this->relay,
		);
	}
}

/**
 * The string to use and where it came from, the first place that has one; null when there is none.
 *
 * On a network of sites the places outside the database speak for the main site only: one connection is one shop.
 *
 * @return array{text: string, source: 'constant'|'environment'|'php.ini'|'settings'}|null
 */
function configured_connection(): ?array {
	if ( ! is_multisite() || is_main_site() ) {
		$elsewhere = array(
			'constant'    => defined( 'NEXPURA_CONNECTION' ) ? constant( 'NEXPURA_CONNECTION' ) : '',
			'environment' => getenv( 'NEXPURA_CONNECTION' ),
			'php.ini'     => ini_get( 'nexpura.connection' ),
		);
		foreach ( $elsewhere as $source => $text ) {
			if ( is_string( $text ) && '' !== trim( $text ) ) {
				return array(
					'text'   => $text,
					'source' => $source,
				);
			}
		}
	}
	$text = get_option( CONNECTION_OPTION, '' );
	return is_string( $text ) && '' !== trim( $text ) ? array(
		'text'   => $text,
		'source' => 'settings',
	) : null;
}

/**
 * The connection in use, or null when none is configured or it cannot be read.
 */
function connection(): ?Connection {
	static $known = array();
	$configured   = configured_connection();
	if ( null === $configured ) {
		return null;
	}
	$text = $configured['text'];
	if ( ! array_key_exists( $text, $known ) ) {
		$read           = parse_connection( $text );
		$known[ $text ] = $read instanceof Connection ? $read : null;
	}
	return $known[ $text ];
}

/**
 * Where the connection came from, in words for people.
 *
 * @param string $source One of configured_connection()'s.
 */
function source_label( string $source ): string {
	return match ( $source ) {
		'constant'    => __( 'the constant NEXPURA_CONNECTION in wp-config.php', 'nexpura' ),
		'environment' => __( 'the environment variable NEXPURA_CONNECTION', 'nexpura' ),
		'php.ini'     => __( 'the setting nexpura.connection in php.ini', 'nexpura' ),
		default       => __( 'the settings page', 'nexpura' ),
	};
}

/**
 * Reads a connection string as a person pasted it. A refusal says what to do and quotes nothing of the text.
 *
 * @param string $text What was pasted.
 * @return Connection|string The connection, or the message.
 */
function parse_connection( #[\SensitiveParameter] string $text ): Connection|string {
	$text = trim( $text );
	if ( '' === $text ) {
		return __( 'The connection string is empty: paste the one that Nexpura showed when the connection was made.', 'nexpura' );
	}
	$malformed = __( 'This is not a connection string: it must look like https://ID:SECRET@relay.example, copied whole.', 'nexpura' );
	if ( ! preg_match( '~^([a-z][a-z0-9+.-]*)://(?:([^/?#]*)@)?([^@/?#\s]+)(/[^?#\s]*)?(?:[?#].*)?$~i', $text, $part ) ) {
		return $malformed;
	}
	$scheme = strtolower( $part[1] );
	$host   = strtolower( $part[3] );
	if ( ! preg_match( '~^(\[[0-9a-f:.]+\]|[^:\[\]]+)(:\d{1,5})?$~', $host, $authority ) ) {
		return $malformed;
	}
	if ( 'https' !== $scheme && ! ( 'http' === $scheme && is_loopback( $authority[1] ) ) ) {
		return __( 'The connection string must begin with https:// (http:// only for a relay on this machine).', 'nexpura' );
	}

	$credentials = explode( ':', $part[2] ?? '', 2 );
	$id          = rawurldecode( $credentials[0] );
	$secret      = rawurldecode( $credentials[1] ?? '' );
	/* translators: %s: "connection id" or "secret". */
	$missing = __( 'The connection string lacks its %s: copy it again, whole, from where Nexpura showed it.', 'nexpura' );
	/* translators: %s: "connection id" or "secret". */
	$damaged = __( 'The %s in the connection string is damaged: copy it again, whole, from where Nexpura showed it.', 'nexpura' );
	if ( '' === $id ) {
		return sprintf( $missing, __( 'connection id', 'nexpura' ) );
	}
	if ( ! preg_match( '/^[0-9a-f]{64}$/D', $id ) ) {
		return sprintf( $damaged, __( 'connection id', 'nexpura' ) );
	}
	if ( '' === $secret ) {
		return sprintf( $missing, __( 'secret', 'nexpura' ) );
	}
	if ( SECRET_BYTES !== strlen( decode_secret( $secret ) ?? '' ) ) {
		return sprintf( $damaged, __( 'secret', 'nexpura' ) );
	}
	return new Connection( $id, $secret, rtrim( $scheme . '://' . $host . ( $part[4] ?? '' ), '/' ), $text );
}

/**
 * Whether a host name or bracketed address means this machine.
 *
 * @param string $host In lower case, without a port.
 */
function is_loopback( string $host ): bool {
	if ( 'localhost' === $host || str_ends_with( $host, '.localhost' ) ) {
		return true;
	}
	$address = trim( $host, '[]' );
	return filter_var( $address, FILTER_VALIDATE_IP, FILTER_FLAG_IPV4 )
		? str_starts_with( $address, '127.' )
		: '::1' === $address;
}
