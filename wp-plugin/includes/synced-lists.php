<?php
/**
 * What was brought over, in WordPress's own lists: beside a product's name, where drafts are called drafts, and in a
 * column of the users. Orders have theirs in `order-screens.php`.
 *
 * @package Nexpura
 */

namespace Nexpura;

use WP_Post;

defined( 'ABSPATH' ) || exit;

/** The users' column. */
const SYNCED_COLUMN = 'nexpura_synced';

// The list of products has no room for another column.
add_filter(
	'display_post_states',
	static function ( $states, $post = null ): array {
		$states = (array) $states;
		if ( $post instanceof WP_Post && 'product' === $post->post_type && isset( synced_of_page( $post->ID )[ $post->ID ] ) ) {
			$states['nexpura_synced'] = esc_html__( 'Synced with Nexpura', 'nexpura' );
		}
		return $states;
	},
	10,
	2
);

/**
 * When the products of the present page were brought over; one look for all of them.
 *
 * @param int $id One that is shown.
 * @return array<int, int>
 */
function synced_of_page( int $id ): array {
	global $wp_query;
	static $page = null;
	$page      ??= synced( 'product', array_merge( array( $id ), array_map( __NAMESPACE__ . '\id_passed', wp_list_pluck( array_filter( (array) ( $wp_query->posts ?? array() ), 'is_object' ), 'ID' ) ) ) );
	return $page;
}

add_filter(
	'manage_users_columns',
	static function ( $columns ): array {
		$columns = (array) $columns;
		if ( marks_synced() ) {
			$columns[ SYNCED_COLUMN ] = __( 'Nexpura', 'nexpura' );
		}
		return $columns;
	},
	20
);
add_filter(
	'manage_users_custom_column',
	static function ( $cell, $column, $id = 0 ) {
		if ( SYNCED_COLUMN !== $column ) {
			return $cell;
		}
		$id = id_passed( $id );
		$at = synced( 'customer', array( $id ) )[ $id ] ?? null;
		return null === $at
			? '<span aria-hidden="true">&ndash;</span><span class="screen-reader-text">' . esc_html__( 'Not synced with Nexpura', 'nexpura' ) . '</span>'
			: '<span title="' . esc_attr( synced_in_words( $at ) ) . '">' . esc_html__( 'Synced with Nexpura', 'nexpura' ) . '</span>';
	},
	10,
	3
);
