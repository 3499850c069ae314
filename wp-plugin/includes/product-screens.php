<?php
/**
 * "In Nexpura" in WooCommerce's product data: which piece a stock is linked to, its count there, and the last push.
 *
 * @package Nexpura
 */

namespace Nexpura;

use WC_Product;
use WP_Post;

defined( 'ABSPATH' ) || exit;

// Beside the stock of a product. A variable product's own stock may be its variations' too.
add_action(
	'woocommerce_product_options_inventory_product_data',
	static function (): void {
		global $product_object;
		$id = $product_object instanceof WC_Product ? $product_object->get_id() : 0;
		if ( $id > 0 && ! is_unborn( $product_object ) && is_connected() && current_user_can( 'edit_post', $id ) ) {
			echo '<div class="options_group"><div class="form-field nexpura-field"><strong>' . esc_html__( 'In Nexpura', 'nexpura' ) . '</strong>';
			show_product( $id, standing( array(), array( $id ) ) );
			echo '</div></div>';
		}
	}
);

// Beside the fields of each variation; all of a page are asked for together.
add_action(
	'woocommerce_product_after_variable_attributes',
	static function ( $loop, $data = null, $variation = null ): void {
		if ( ! $variation instanceof WP_Post || ! is_connected() || ! current_user_can( 'edit_post', $variation->ID ) ) {
			return;
		}
		echo '<div class="form-row form-row-full"><strong class="nexpura-heading">' . esc_html__( 'In Nexpura', 'nexpura' ) . '</strong>';
		show_product( $variation->ID, standing( array(), variations_beside( $variation ) ) );
		echo '</div>';
	},
	10,
	3
);

/**
 * A variation and those that are shown with it: the same list for each of them, so that it is asked for once.
 *
 * @param WP_Post $variation The variation.
 * @return int[]
 */
function variations_beside( WP_Post $variation ): array {
	$parent = wc_get_product( $variation->post_parent );
	foreach ( array_chunk( $parent instanceof WC_Product ? $parent->get_children() : array(), STANDING_IDS ) as $page ) {
		if ( in_array( $variation->ID, $page, true ) ) {
			return $page;
		}
	}
	return array( $variation->ID );
}

/**
 * Prints how a product or variation stands.
 *
 * @param int      $id       WooCommerce's id.
 * @param Standing $standing What the relay says.
 */
function show_product( int $id, Standing $standing ): void {
	$thing = $standing->products[ $id ] ?? null;
	$words = state_in_words( 'product', $id, $thing, $standing->problem );
	show_state( $words, '' );
	$mark = synced_in_words( synced( 'product', array( $id ) )[ $id ] ?? null, 'failed' === $words['state'] );
	foreach ( array_filter( array_merge( product_in_words( $thing ?? array(), $words['detail'] ), array( $mark ) ) ) as $sentence ) {
		echo '<div class="nexpura-said">' . esc_html( $sentence ) . '</div>';
	}
	show_cause( $words['cause'] );
	if ( isset( $thing['piece_url'] ) ) {
		printf( '<div class="nexpura-said"><a href="%s">%s</a></div>', esc_url( (string) $thing['piece_url'], array( 'http', 'https' ) ), esc_html__( 'Open the piece in Nexpura', 'nexpura' ) );
	}
	if ( ! in_array( $words['state'], array( 'in-ledger', 'not-known' ), true ) ) {
		echo '<div class="nexpura-said">';
		show_retry( 'product', $id, __( 'Try again now', 'nexpura' ) );
		echo '</div>';
	}
}

/**
 * What is known of a product's stock, a sentence each; empty ones where nothing is to be said.
 *
 * @param array<string, mixed> $thing  What the relay said.
 * @param string               $detail What explains its state.
 * @return string[]
 */
function product_in_words( array $thing, string $detail ): array {
	$sku    = (string) ( $thing['sku'] ?? '' );
	$reason = (string) ( $thing['detail'] ?? '' );
	$said   = array(
		$detail,
		match ( (string) ( $thing['listing'] ?? '' ) ) {
			/* translators: %s: SKU. */
			'open'      => sprintf( __( 'SKU matched: %s.', 'nexpura' ), $sku ),
			'opening'   => __( 'Being counted: Nexpura waits for two equal readings of this stock.', 'nexpura' ),
			'unmanaged' => __( 'WooCommerce does not manage this stock, so Nexpura keeps no count of it.', 'nexpura' ),
			'waiting'   => __( 'Nexpura has a piece with this SKU already: somebody has to say there whose count holds.', 'nexpura' ),
			/* translators: %s: reason. */
			'skipped'   => sprintf( __( 'Not in the inventory: %s', 'nexpura' ), $reason ),
			'missing'   => __( 'The shop told that this stock is gone.', 'nexpura' ),
			default     => '',
		},
		/* translators: %s: number of units. */
		isset( $thing['quantity'] ) ? sprintf( __( 'Nexpura has %s.', 'nexpura' ), (string) $thing['quantity'] ) : '',
		/* translators: %s: number of units, may be negative. */
		isset( $thing['to_push'] ) ? sprintf( __( 'Still to be pushed here: %s.', 'nexpura' ), (string) $thing['to_push'] ) : '',
	);
	if ( 'open' === ( $thing['listing'] ?? '' ) ) {
		$at     = isset( $thing['pushed_at'] ) ? strtotime( (string) $thing['pushed_at'] ) : false;
		$said[] = false === $at
			? __( 'Nothing was pushed yet.', 'nexpura' )
			/* translators: 1: a duration such as "7 mins", 2: number of units, may be negative. */
			: sprintf( __( 'Last push: %1$s ago (%2$s).', 'nexpura' ), human_time_diff( $at ), (string) ( $thing['pushed'] ?? '' ) );
	}
	return $said;
}
