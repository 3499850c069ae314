<?php
/**
 * What was brought over, in WordPress's own lists: beside a product's name, where drafts are called drafts, and in a
 * column of the users. Orders have theirs in `order-screens.php`.
 *
 * @package Nexpura
 */

namespace Nexpura;

use WP_Post;
use WP_Users_List_Table;

defined( 'ABSPATH' ) || exit;

/** The users' column. */
const SYNCED_COLUMN = 'nexpura_synced';

// The list of products has no room for another column.
add_filter(
	'display_post_states',
	static function ( $states, $post = null ): array {
		$states = (array) $states;
		if ( $post instanceof WP_Post && 'product' === $post->post_type && null !== synced_of_page( 'product', $post->ID, __NAMESPACE__ . '\posts_of_page' ) ) {
			$states['nexpura_synced'] = esc_html__( 'Synced with Nexpura', 'nexpura' );
		}
		return $states;
	},
	10,
	2
);

/**
 * When one thing of a page of many was brought over, `null` if it never was; one look for the whole page.
 *
 * @param string   $resource order, product or customer.
 * @param int      $id       The one that is shown.
 * @param callable $page     Gives the ids of all that the page shows, as far as it is known.
 */
function synced_of_page( string $resource, int $id, callable $page ): ?int {
	/**
	 * By resource and id; `null` for what was looked for and never brought over.
	 *
	 * @var array<string, array<int, int|null>> $known
	 */
	static $known = array();
	if ( ! array_key_exists( $id, $known[ $resource ] ?? array() ) ) {
		$ids                = array_values( array_unique( array_merge( array( $id ), $page() ) ) );
		$known[ $resource ] = synced( $resource, $ids ) + array_fill_keys( $ids, null ) + ( $known[ $resource ] ?? array() );
	}
	return $known[ $resource ][ $id ];
}

/**
 * The posts of the list's present page.
 *
 * @return int[]
 */
function posts_of_page(): array {
	global $wp_query;
	return array_map( __NAMESPACE__ . '\id_passed', wp_list_pluck( array_filter( (array) ( $wp_query->posts ?? array() ), 'is_object' ), 'ID' ) );
}

/**
 * The users of the list's present page.
 *
 * @return int[]
 */
function users_of_page(): array {
	global $wp_list_table;
	$users = $wp_list_table instanceof WP_Users_List_Table ? (array) $wp_list_table->items : array();
	return array_map( __NAMESPACE__ . '\id_passed', wp_list_pluck( array_filter( $users, 'is_object' ), 'ID' ) );
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
		$at = synced_of_page( 'customer', id_passed( $id ), __NAMESPACE__ . '\users_of_page' );
		return null === $at
			? '<span aria-hidden="true">&ndash;</span><span class="screen-reader-text">' . esc_html__( 'Not synced with Nexpura', 'nexpura' ) . '</span>'
			: '<span title="' . esc_attr( synced_in_words( $at ) ) . '">' . esc_html__( 'Synced with Nexpura', 'nexpura' ) . '</span>';
	},
	10,
	3
);
