<?php
/**
 * Site Health's information tab: what support needs to know, figure by figure. No secret is among it.
 *
 * @package Nexpura
 */

namespace Nexpura;

defined( 'ABSPATH' ) || exit;

add_filter(
	'debug_information',
	static function ( $sections ): array {
		$sections = (array) $sections;
		return guarded(
			static function () use ( $sections ): array {
				$sections['nexpura'] = array(
					'label'  => 'Nexpura',
					'fields' => debug_fields(),
				);
				return $sections;
			},
			$sections,
			'gathering debug information'
		);
	}
);

/**
 * What support needs to know, in the language of whoever looks and, under `debug`, in none: that is what Site Health copies
 * for whoever helps. No secret is among it.
 *
 * @return array<string, array{label: string, value: string, debug: string}>
 */
function debug_fields(): array {
	$state     = registered();
	$spool     = spool_status() ?? array();
	$source    = configured_connection()['source'] ?? null;
	$extension = extension_version();
	$table     = revisions_engine();
	$connected = is_connected();
	$field     = static fn( string $label, string $value, ?string $debug = null ): array => array(
		'label' => $label,
		'value' => $value,
		'debug' => $debug ?? $value,
	);
	$fields    = array(
		'version'       => $field( __( 'Plugin version', 'nexpura' ), VERSION ),
		'extension'     => $field( __( 'Extension version', 'nexpura' ), $extension ?? __( 'not loaded', 'nexpura' ), $extension ?? 'not loaded' ),
		'store_id'      => $field( __( 'Store id', 'nexpura' ), store_id() ),
		'source'        => $field( __( 'Connection taken from', 'nexpura' ), null === $source ? __( 'none', 'nexpura' ) : source_label( $source ), $source ?? 'none' ),
		'connection_id' => $field( __( 'Connection id', 'nexpura' ), connection()?->id ?? '' ),
		'relay'         => $field( __( 'Relay', 'nexpura' ), connection()?->relay ?? '' ),
		'connected'     => $field( __( 'Connected', 'nexpura' ), $connected ? __( 'yes', 'nexpura' ) : __( 'no', 'nexpura' ), $connected ? 'yes' : 'no' ),
		'home'          => $field( __( 'Connected as', 'nexpura' ), (string) ( $state['home'] ?? '' ) ),
		'mode'          => $field( __( 'Mode', 'nexpura' ), (string) ( $state['mode'] ?? '' ) ),
		'storage'       => $field( __( 'Order storage', 'nexpura' ), null === woocommerce_problem() ? order_storage() : '' ),
		'rev_table'     => $field( __( 'Revision table', 'nexpura' ), $table ?? __( 'missing', 'nexpura' ), $table ?? 'missing' ),
	);
	if ( array() !== $spool ) {
		foreach ( spool_fields( $spool ) as $name => $one ) {
			/* translators: %s: a figure's name, such as "Waiting to be sent". */
			$fields[ 'spool_' . $name ] = $field( sprintf( __( 'Spool: %s', 'nexpura' ), $one['label'] ), $one['value'], $one['debug'] );
		}
		$offset                 = (int) ( $spool['clock_offset'] ?? 0 );
		$fields['clock_offset'] = $field(
			__( 'Clock', 'nexpura' ),
			/* translators: %s: number of seconds, may be negative. */
			0 === $offset ? __( 'in step', 'nexpura' ) : sprintf( __( 'corrected by %s seconds', 'nexpura' ), number_format_i18n( $offset ) ),
			(string) $offset
		);
	}
	return $fields;
}
