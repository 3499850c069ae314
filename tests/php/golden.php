<?php
/**
 * Holds the plugin's signer and its reader of connection strings to the vectors that the Rust tests read too.
 *
 * Needs no WordPress: `php tests/php/golden.php`. Says what does not fit and leaves with 1.
 */

declare(strict_types=1);

const ABSPATH = __DIR__;

/** Stands in for WordPress's translation: the messages are compared in English. */
function __( string $text ): string {
	return $text;
}

$root = dirname( __DIR__, 2 );
require $root . '/wp-plugin/includes/signature.php';
require $root . '/wp-plugin/includes/connection.php';

$golden   = json_decode( (string) file_get_contents( $root . '/crates/protocol/golden/signatures.json' ), true, 512, JSON_THROW_ON_ERROR );
$checked  = 0;
$failures = array();
$expect   = static function ( string $what, mixed $expected, mixed $found ) use ( &$checked, &$failures ): void {
	++$checked;
	if ( $expected !== $found ) {
		$failures[] = sprintf( "%s\n  expected %s\n  found    %s", $what, var_export( $expected, true ), var_export( $found, true ) );
	}
};

foreach ( $golden['vectors'] as $vector ) {
	$expect(
		'signature of ' . $vector['name'],
		$vector['signature'],
		Nexpura\sign( $vector['secret'], $vector['id'], $vector['timestamp'], $vector['body'] )
	);
}

/** What people read for each of the errors of `ConnectionString::parse`, by the golden file's word for it. */
$messages = array(
	'empty'          => 'The connection string is empty: paste the one that Nexpura showed when the connection was made.',
	'malformed'      => 'This is not a connection string: it must look like https://ID:SECRET@relay.example, copied whole.',
	'insecure'       => 'The connection string must begin with https:// (http:// only for a relay on this machine).',
	'missing_id'     => 'The connection string lacks its connection id: copy it again, whole, from where Nexpura showed it.',
	'missing_secret' => 'The connection string lacks its secret: copy it again, whole, from where Nexpura showed it.',
	'damaged_id'     => 'The connection id in the connection string is damaged: copy it again, whole, from where Nexpura showed it.',
	'damaged_secret' => 'The secret in the connection string is damaged: copy it again, whole, from where Nexpura showed it.',
);

foreach ( $golden['connection_strings'] as $case ) {
	$read = Nexpura\parse_connection( $case['text'] );
	if ( $case['ok'] ) {
		$expect( 'reading ' . $case['text'], true, $read instanceof Nexpura\Connection );
	} else {
		$expect( 'refusing ' . $case['text'], $messages[ $case['error'] ], $read instanceof Nexpura\Connection ? 'accepted' : $read );
	}
}

$whole = Nexpura\parse_connection( "\n https://" . str_repeat( 'a', 64 ) . ':whsec_' . strtr( base64_encode( str_repeat( "\xff", 32 ) ), '+/', '-_' ) . "@Relay.example:8443/bridge/ \n" );
if ( $whole instanceof Nexpura\Connection ) {
	$expect( 'the address of an endpoint', 'https://relay.example:8443/bridge/v1/connect', $whole->endpoint( 'v1/connect' ) );
	$expect( 'a dump shows no secret', false, str_contains( print_r( $whole, true ), 'whsec' ) );
} else {
	$failures[] = 'a whole connection string was refused: ' . $whole;
}
foreach ( array( '', 'whsec_', 'whsec_AB', 'AAE C', "AAEC\n", 'AAECAw===x', 'A' ) as $bad ) {
	$expect( 'no key in ' . json_encode( $bad ), null, Nexpura\decode_secret( $bad ) );
}

if ( 0 === count( $golden['vectors'] ) || 0 === count( $golden['connection_strings'] ) ) {
	$failures[] = 'the golden file holds nothing';
}
if ( array() !== $failures ) {
	fwrite( STDERR, implode( "\n", $failures ) . "\n" );
	exit( 1 );
}
echo "golden: $checked vectors fit\n";
