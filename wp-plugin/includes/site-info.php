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
 * What support needs to know. No secret is among it.
 *
 * @return array<string, array{label: string, value: string}>
 */
function debug_fields(): array {
	$state  = registered();
	$spool  = spool_status() ?? array();
	$source = configured_connection()['source'] ?? null;
	$fields = array(
		'version'       => array( __( 'Plugin version', 'nexpura' ), VERSION ),
		'extension'     => array( __( 'Extension version', 'nexpura' ), extension_version() ?? __( 'not loaded', 'nexpura' ) ),
		'store_id'      => array( __( 'Store id', 'nexpura' ), store_id() ),
		'source'        => array( __( 'Connection taken from', 'nexpura' ), null === $source ? __( 'none', 'nexpura' ) : source_label( $source ) ),
		'connection_id' => array( __( 'Connection id', 'nexpura' ), connection()?->id ?? '' ),
		'relay'         => array( __( 'Relay', 'nexpura' ), connection()?->relay ?? '' ),
		'connected'     => array( __( 'Connected', 'nexpura' ), is_connected() ? __( 'yes', 'nexpura' ) : __( 'no', 'nexpura' ) ),
		'home'          => array( __( 'Connected as', 'nexpura' ), (string) ( $state['home'] ?? '' ) ),
		'mode'          => array( __( 'Mode', 'nexpura' ), (string) ( $state['mode'] ?? '' ) ),
		'storage'       => array( __( 'Order storage', 'nexpura' ), null === woocommerce_problem() ? order_storage() : '' ),
		'rev_table'     => array( __( 'Revision table', 'nexpura' ), revisions_engine() ?? __( 'missing', 'nexpura' ) ),
	);
	if ( array() !== $spool ) {
		foreach ( spool_fields( $spool ) as $name => $field ) {
			/* translators: %s: a figure's name, such as "Waiting to be sent". */
			$fields[ 'spool_' . $name ] = array( sprintf( __( 'Spool: %s', 'nexpura' ), $field['label'] ), $field['value'] );
		}
		$offset                 = (int) ( $spool['clock_offset'] ?? 0 );
		$fields['clock_offset'] = array(
			__( 'Clock', 'nexpura' ),
			/* translators: %s: number of seconds, may be negative. */
			0 === $offset ? __( 'in step', 'nexpura' ) : sprintf( __( 'corrected by %s seconds', 'nexpura' ), number_format_i18n( $offset ) ),
		);
	}
	return array_map(
		static fn( array $field ): array => array(
			'label' => $field[0],
			'value' => $field[1],
		),
		$fields
	);
}
