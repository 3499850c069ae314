<?php
/**
 * A column "Nexpura" in WordPress's lists of products and users, which says what was brought over. Orders have theirs.
 *
 * @package Nexpura
 */

namespace Nexpura;

defined( 'ABSPATH' ) || exit;

/** The column's name. */
const SYNCED_COLUMN = 'nexpura_synced';

foreach ( array( 'manage_edit-product_columns', 'manage_users_columns' ) as $nexpura_hook ) {
	add_filter(
		$nexpura_hook,
		static function ( $columns ): array {
			$columns = (array) $columns;
			if ( marks_synced() ) {
				$columns[ SYNCED_COLUMN ] = __( 'Nexpura', 'nexpura' );
			}
			return $columns;
		},
		20
	);
}
unset( $nexpura_hook );

add_action(
	'manage_product_posts_custom_column',
	static function ( $column, $id = 0 ): void {
		global $wp_query;
		static $page = null;
		if ( SYNCED_COLUMN === $column ) {
			$page ??= synced( 'product', array_map( __NAMESPACE__ . '\id_passed', wp_list_pluck( array_filter( (array) ( $wp_query->posts ?? array() ), 'is_object' ), 'ID' ) ) );
			echo wp_kses_post( synced_cell( $page[ id_passed( $id ) ] ?? null ) );
		}
	},
	10,
	2
);

add_filter(
	'manage_users_custom_column',
	static function ( $cell, $column, $id = 0 ) {
		$id = id_passed( $id );
		return SYNCED_COLUMN === $column ? synced_cell( synced( 'customer', array( $id ) )[ $id ] ?? null ) : $cell;
	},
	10,
	3
);

/**
 * A cell as HTML: when its row was brought over, or that it was not.
 *
 * @param int|null $at When, in seconds since 1970.
 */
function synced_cell( ?int $at ): string {
	if ( null === $at ) {
		return '<span aria-hidden="true">&ndash;</span><span class="screen-reader-text">' . esc_html__( 'Not synced with Nexpura', 'nexpura' ) . '</span>';
	}
	return '<span class="dashicons dashicons-yes-alt" aria-hidden="true"></span> <span title="' . esc_attr( synced_in_words( $at ) ) . '">' . esc_html__( 'Synced with Nexpura', 'nexpura' ) . '</span>';
}
