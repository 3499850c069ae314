<?php
/**
 * What happens to orders, in both of WooCommerce's order storages.
 *
 * No single hook covers every path (WooCommerce's own webhooks miss several), so each that knows of a change marks.
 *
 * @package Nexpura
 */

namespace Nexpura;

use WC_Order;
use WC_Order_Refund;

defined( 'ABSPATH' ) || exit;

/**
 * Marks an order that is at hand, unless it is still a draft of the checkout's.
 *
 * @param mixed  $order What a hook passed.
 * @param string $verb  created, updated, deleted or restored.
 */
function mark_order( mixed $order, string $verb = 'updated' ): void {
	if ( is_order( $order ) && ! is_unborn( $order ) ) {
		mark( 'order', $order->get_id(), $verb );
	}
}

/**
 * Marks an order of which only the id is at hand.
 *
 * @param mixed $id What a hook passed.
 */
function mark_order_id( mixed $id ): void {
	$id = id_passed( $id );
	if ( 0 === $id || is_marked( 'order', $id ) ) {
		return;
	}
	$order = order_in_hand( $id );
	if ( null === $order && ! isset( Marks::$sought[ $id ] ) && captures() ) {
		$order = guarded( static fn() => wc_get_order( $id ), null, 'finding an order' );
		// Asked once until all is captured; a draft that becomes an order is saved, which says so.
		Marks::$sought[ $id ] = true;
	}
	mark_order( $order );
}

/**
 * The order object that is being saved under this id, so that its status need not be read from the database.
 *
 * @param int           $id     The order's id.
 * @param WC_Order|null $saving An order that is about to be saved, to be remembered.
 */
function order_in_hand( int $id, ?WC_Order $saving = null ): ?WC_Order {
	static $known = array();
	if ( null !== $saving ) {
		$known = array_filter( $known, static fn( \WeakReference $one ): bool => null !== $one->get() );

		$known[ spl_object_id( $saving ) ] = \WeakReference::create( $saving );
		return $saving;
	}
	foreach ( $known as $one ) {
		$order = $one->get();
		if ( null !== $order && $order->get_id() === $id ) {
			return $order;
		}
	}
	return null;
}

// Marked before the database knows: a process killed between WooCommerce's write and its first hook after that has told
// already. An order that has no id yet is the sweep's to find then.
add_action(
	'woocommerce_before_order_object_save',
	static function ( $order ): void {
		if ( $order instanceof WC_Order ) {
			order_in_hand( 0, $order );
			mark_order( $order );
		}
	},
	PHP_INT_MAX
);

// Created and changed. The save of the object itself also tells of flags that fire no update hook.
add_action(
	'woocommerce_new_order',
	static function ( $id, $order = null ): void {
		null === $order ? mark( 'order', id_passed( $id ), 'created' ) : mark_order( $order, 'created' );
	},
	10,
	2
);
foreach ( array( 'woocommerce_after_order_object_save', 'woocommerce_store_api_checkout_order_processed', 'woocommerce_checkout_order_created', 'woocommerce_reduce_order_stock', 'woocommerce_restore_order_stock', 'woocommerce_remove_order_items' ) as $nexpura_hook ) {
	add_action(
		$nexpura_hook,
		static function ( $order ): void {
			mark_order( $order );
		}
	);
}
foreach ( array( 'woocommerce_update_order', 'woocommerce_payment_complete', 'woocommerce_checkout_order_processed', 'woocommerce_order_refunded', 'woocommerce_saved_order_items' ) as $nexpura_hook ) {
	add_action(
		$nexpura_hook,
		static function ( $id ): void {
			mark_order_id( $id );
		}
	);
}
add_action(
	'woocommerce_order_status_changed',
	static function ( $id, $from = '', $to = '', $order = null ): void {
		// A draft of the checkout's becomes an order; older versions say only so that it is a new one.
		null === $order ? mark_order_id( $id ) : mark_order( $order, in_array( $from, UNBORN, true ) ? 'created' : 'updated' );
	},
	10,
	4
);
// Meta saved by itself fires no order hook at all (only HPOS fires these).
foreach ( array( 'added_order_meta', 'updated_order_meta', 'deleted_order_meta' ) as $nexpura_hook ) {
	add_action(
		$nexpura_hook,
		static function ( $meta_id, $id = 0 ): void {
			mark_order_id( $id );
		},
		10,
		2
	);
}

// Lines and their stock. Only some of these hooks are followed by an order's own.
add_action( 'woocommerce_new_order_item', __NAMESPACE__ . '\mark_order_of_item', 10, 3 );
add_action( 'woocommerce_update_order_item', __NAMESPACE__ . '\mark_order_of_item', 10, 3 );
add_action( 'woocommerce_before_delete_order_item', __NAMESPACE__ . '\mark_order_of_item' );

/**
 * Marks the order of a line; the hook's callers do not all say which that is.
 *
 * @param mixed $item_id  The line's id.
 * @param mixed $item     The line, where the caller has it.
 * @param mixed $order_id The order's id, where the caller tells.
 */
function mark_order_of_item( mixed $item_id, mixed $item = null, mixed $order_id = 0 ): void {
	if ( ! id_passed( $order_id ) ) {
		if ( ! captures() ) {
			return;
		}
		$order_id = guarded( static fn() => wc_get_order_id_by_order_item_id( id_passed( $item_id ) ), 0, 'finding the order of a line' );
	}
	mark_order_id( $order_id );
}

add_action(
	'woocommerce_reduce_order_item_stock',
	static function ( $item, $change = 0, $order = null ): void {
		mark_order( $order );
	},
	10,
	3
);
foreach ( array( 'woocommerce_restore_order_item_stock', 'woocommerce_restock_refunded_item' ) as $nexpura_hook ) {
	add_action(
		$nexpura_hook,
		static function ( $item, $before = 0, $after = 0, $order = null ): void {
			mark_order( $order );
		},
		10,
		4
	);
}

// Refunds are part of their order.
add_action(
	'woocommerce_after_order_refund_object_save',
	static function ( $refund ): void {
		mark_order_id( $refund instanceof WC_Order_Refund ? $refund->get_parent_id( 'edit' ) : 0 );
	}
);
add_filter(
	'woocommerce_pre_delete_order_refund',
	static function ( $decided, $refund = null ) {
		// The last moment at which a refund still knows its order; the decision itself is not ours.
		mark_order_id( $refund instanceof WC_Order_Refund ? $refund->get_parent_id( 'edit' ) : 0 );
		return $decided;
	},
	10,
	2
);
add_action(
	'woocommerce_refund_deleted',
	static function ( $refund_id, $order_id = 0 ): void {
		mark_order_id( $order_id );
	},
	10,
	2
);

// Trashed, restored, removed for good.
add_action(
	'woocommerce_before_trash_order',
	static function ( $id, $order = null ): void {
		mark_order( $order, 'deleted' );
	},
	10,
	2
);
add_action(
	'woocommerce_untrash_order',
	static function ( $id ): void {
		mark( 'order', id_passed( $id ), 'restored' );
	}
);
add_action(
	'woocommerce_before_delete_order',
	static function ( $id, $order = null ): void {
		if ( is_order( $order ) ) {
			capture_deletion( 'order', $order );
		}
	},
	10,
	2
);

/**
 * The order that a post is, where orders are posts; null elsewhere (with HPOS the post is a copy or a placeholder).
 *
 * @param mixed $post_id What a post hook passed.
 */
function order_of_post( mixed $post_id ): ?WC_Order {
	$post_id = id_passed( $post_id );
	$type    = 0 === $post_id ? false : get_post_type( $post_id );
	if ( ! in_array( $type, array( 'shop_order', 'shop_order_refund' ), true ) || ! captures() ) {
		return null;
	}
	return guarded(
		static function () use ( $post_id, $type ): ?WC_Order {
			if ( 'hpos' === order_storage() ) {
				return null;
			}
			$id    = 'shop_order' === $type ? $post_id : (int) wp_get_post_parent_id( $post_id );
			$order = wc_get_order( $id );
			return is_order( $order ) ? $order : null;
		},
		null,
		'finding the order of a post'
	);
}

add_action(
	'wp_trash_post',
	static function ( $post_id ): void {
		mark_order( order_of_post( $post_id ), 'shop_order' === get_post_type( $post_id ) ? 'deleted' : 'updated' );
	}
);
add_action(
	'untrashed_post',
	static function ( $post_id ): void {
		mark_order( order_of_post( $post_id ), 'shop_order' === get_post_type( $post_id ) ? 'restored' : 'updated' );
	}
);
add_action(
	'before_delete_post',
	static function ( $post_id ): void {
		$order = order_of_post( $post_id );
		if ( null === $order ) {
			return;
		}
		'shop_order' === get_post_type( $post_id ) ? capture_deletion( 'order', $order ) : mark_order( $order );
	}
);
unset( $nexpura_hook );
