<?php
/**
 * How the plugin says things, where every text is translated: what is read by support stays what it is.
 *
 * Needs no WordPress, whose functions this file stands in for: `php tests/php/words.php`. Says what does not fit and leaves
 * with 1.
 */

declare(strict_types=1);

namespace Nexpura;

\define( 'ABSPATH', __DIR__ );
\define( 'MINUTE_IN_SECONDS', 60 );
const VERSION = '1.2.3';

/** Whatever has this mark was meant for people of one language. */
const TRANSLATED = 'übersetzt: ';

function __( string $text ): string {
	return TRANSLATED . $text;
}

function _n( string $one, string $many, int $number ): string {
	return TRANSLATED . ( 1 === $number ? $one : $many );
}

function number_format_i18n( float $number ): string {
	return TRANSLATED . number_format( $number, 0, ',', '.' );
}

function human_time_diff( int $from ): string {
	return TRANSLATED . $from;
}

function size_format( int $bytes ): string {
	return TRANSLATED . $bytes;
}

function wp_date( string $format, int $at ): string {
	return TRANSLATED . gmdate( $format, $at );
}

function get_option( string $name ): string {
	return str_ends_with( $name, 'date_format' ) ? 'j.n.Y' : 'H:i';
}

function esc_attr( string $text ): string {
	return htmlspecialchars( $text );
}

function esc_html( string $text ): string {
	return htmlspecialchars( $text );
}

function add_filter(): void {}

function add_action(): void {}

// The plugin's own, as a connected shop has them.

/** What the extension says, where it is loaded. */
$GLOBALS['spool'] = array(
	'unsent'           => 12345,
	'open_intents'     => 0,
	'oldest_unsent_at' => 1_700_000_000,
	'last_sent_at'     => 1_700_000_060,
	'sender'           => 'thread',
	'bytes'            => 65536,
	'max_bytes'        => 1_048_576,
	'spool'            => '/var/lib/nexpura/shop.spool',
	'writable'         => true,
	'last_error'       => 'the relay answered 502',
	'clock_offset'     => -1234,
);

function loaded(): bool {
	return array() !== $GLOBALS['spool'];
}

function spool_status(): ?array {
	return loaded() ? $GLOBALS['spool'] : null;
}

function extension_version(): ?string {
	return loaded() ? '0.9.0' : null;
}

function revisions_engine(): ?string {
	return loaded() ? 'InnoDB' : null;
}

function configured_connection(): ?array {
	return loaded() ? array( 'source' => 'constant' ) : null;
}

function source_label( string $source ): string {
	return __( $source );
}

function connection(): ?object {
	return loaded() ? (object) array(
		'id'    => 'abc',
		'relay' => 'https://relay.example',
	) : null;
}

function is_connected(): bool {
	return loaded();
}

function registered(): ?array {
	return loaded() ? array(
		'home' => 'https://shop.example',
		'mode' => 'extension',
	) : null;
}

function store_id(): string {
	return '0195';
}

function woocommerce_problem(): ?string {
	return null;
}

function order_storage(): string {
	return 'hpos';
}

$includes = \dirname( __DIR__, 2 ) . '/wp-plugin/includes/';
require $includes . 'standing.php';
require $includes . 'standing-words.php';
require $includes . 'site-info.php';
require $includes . 'settings-cards.php';

$checked  = 0;
$failures = array();
$expect   = static function ( string $what, mixed $expected, mixed $found ) use ( &$checked, &$failures ): void {
	++$checked;
	if ( $expected !== $found ) {
		$failures[] = sprintf( "%s\n  expected %s\n  found    %s", $what, var_export( $expected, true ), var_export( $found, true ) );
	}
};

$figures = array(
	'version'                => '1.2.3',
	'extension'              => '0.9.0',
	'store_id'               => '0195',
	'source'                 => 'constant',
	'connection_id'          => 'abc',
	'relay'                  => 'https://relay.example',
	'connected'              => 'yes',
	'home'                   => 'https://shop.example',
	'mode'                   => 'extension',
	'storage'                => 'hpos',
	'rev_table'              => 'InnoDB',
	'spool_unsent'           => '12345',
	'spool_open_intents'     => '0',
	'spool_oldest_unsent_at' => '2023-11-14T22:13:20Z',
	'spool_last_sent_at'     => '2023-11-14T22:14:20Z',
	'spool_sender'           => 'thread',
	'spool_bytes'            => '65536 of 1048576',
	'spool_folder'           => '/var/lib/nexpura',
	'spool_file'             => 'shop.spool',
	'spool_writable'         => 'yes',
	'spool_last_error'       => 'the relay answered 502',
	'clock_offset'           => '-1234',
);
$expect( 'the figures of a shop that is connected', $figures, each_ones( debug_fields(), 'debug' ) );
$expect( 'what people read is translated', TRANSLATED . '12.345', debug_fields()['spool_unsent']['value'] );
$expect( 'so is what it is called', true, str_starts_with( debug_fields()['connected']['label'], TRANSLATED ) );

$GLOBALS['spool'] = array();
$figures          = array(
	'extension'     => 'not loaded',
	'source'        => 'none',
	'connection_id' => '',
	'relay'         => '',
	'connected'     => 'no',
	'home'          => '',
	'mode'          => '',
	'rev_table'     => 'missing',
) + $figures;
foreach ( each_ones( debug_fields(), 'debug' ) as $name => $figure ) {
	$expect( "$name of a shop that has nothing yet", $figures[ $name ], $figure );
}

$sentences = array(
	''                                 => '',
	' . '                              => '',
	'the relay answered 502'           => 'The relay answered 502.',
	"it is away.\n"                    => 'It is away.',
	'it does not answer …'             => 'It does not answer …',
	'it waits...'                      => 'It waits...',
	'no such store!'                   => 'No such store!',
	'is it there?'                     => 'Is it there?',
	'it said “Not found.”'             => 'It said “Not found.”',
	'it said "Why?"'                   => 'It said "Why?"',
	'it said “Not found”'              => 'It said “Not found”.',
	'見つかりません。'                        => '見つかりません。',
	'it is away (see the log.)'        => 'It is away (see the log.)',
	'there is none (see the settings)' => 'There is none (see the settings).',
	"it said \xff"                     => "It said \xff.",
);
foreach ( $sentences as $said => $sentence ) {
	$expect( 'as a sentence: ' . $said, $sentence, as_sentence( $said ) );
}

$shown = static function ( array $store ): string {
	ob_start();
	show_health( health_in_words( new Standing( '', $store ), null, false ) );
	return (string) ob_get_clean();
};
$expect( 'a shop of which more is told', true, str_ends_with( $shown( array( 'status' => 'error', 'detail' => 'the key is gone' ) ), '</h2><p>The key is gone.</p>' ) );
$expect( 'a shop of which no more is told', true, str_ends_with( $shown( array( 'status' => 'disconnected' ) ), '</h2>' ) );

/** One member of each, under the same name. */
function each_ones( array $rows, string $member ): array {
	return array_map( static fn( array $row ): mixed => $row[ $member ], $rows );
}

if ( array() !== $failures ) {
	fwrite( STDERR, implode( "\n", $failures ) . "\n" );
	exit( 1 );
}
echo "words: $checked fit\n";
