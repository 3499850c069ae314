<?php
/**
 * A shop that has sold for years: many products, customers and orders at once.
 */

declare(strict_types=1);

namespace Nexpura_Tests;

/**
 * Makes them, quickly: no mail, no dear passwords, terms counted at the end.
 *
 * @param array{simple:int,variable:int,customers:int,orders:int,copies?:int,real?:bool} $args How many of each; copies
 *                         are of the first simple product; whether the orders are as various as a real shop's.
 * @return array{seconds:float}
 */
function seed( array $args ): array {
	$begun = microtime( true );
	foreach ( apply_filters( 'woocommerce_email_actions', array() ) as $action ) {
		remove_all_actions( $action . '_notification' );
	}
	add_filter( 'wp_hash_password_options', static fn(): array => array( 'cost' => 4 ) );
	wp_defer_term_counting( true );
	$customers = seed_customers( $args['customers'] );
	$owners    = seed_products( $args['simple'], $args['variable'] );
	if ( $args['real'] ?? false ) {
		seed_real_orders( $args['orders'], $owners, $customers );
	} else {
		seed_orders( $args['orders'], $owners, $customers );
	}
	if ( ( $args['copies'] ?? 0 ) > 0 ) {
		copy_product( $owners[0], $args['copies'] );
	}
	wp_defer_term_counting( false );
	return array( 'seconds' => microtime( true ) - $begun );
}

/**
 * Customers with an account.
 *
 * @param int $count How many.
 * @return list<int>
 */
function seed_customers( int $count ): array {
	return in_one_go(
		$count,
		static function ( int $at ): int {
			$customer = new \WC_Customer();
			$customer->set_username( "buyer-$at" );
			$customer->set_email( "buyer-$at@buyers.example" );
			$customer->set_password( "buyer-$at" );
			$customer->set_first_name( 'Ada' );
			$customer->set_last_name( "Buyer $at" );
			return $customer->save();
		}
	);
}

/**
 * Products, of which the variable ones have three sizes each.
 *
 * @param int $simple   Simple ones.
 * @param int $variable Variable ones.
 * @return list<int> Whatever can be bought.
 */
function seed_products( int $simple, int $variable ): array {
	$singles = in_one_go(
		$simple,
		static fn( int $at ): int => add_product(
			array( 'sku' => "PIECE-$at", 'price' => number_format( 20 + $at * 1.37, 2, '.', '' ), 'stock' => 10 + $at % 7 )
		)
	);
	$sizes = in_one_go(
		$variable,
		static fn( int $at ): array => add_variable_product(
			array(
				'sku'        => "BAND-$at",
				'price'      => number_format( 35 + $at * 0.91, 2, '.', '' ),
				'stock'      => null,
				'variations' => array_map(
					static fn( string $size ): array => array( 'sku' => "BAND-$at-$size", 'size' => $size, 'stock' => 5 + $at % 4 ),
					array( 'S', 'M', 'L' )
				),
			)
		)['variations']
	);
	return array( ...$singles, ...array_merge( ...$sizes ) );
}

/**
 * Copies of a simple product, `COPY-1` and so on, its rows multiplied by the database: ten thousand take seconds.
 *
 * @param int $id    Which.
 * @param int $count How many.
 */
function copy_product( int $id, int $count ): void {
	global $wpdb;
	$base = (int) $wpdb->get_var( "SELECT MAX(ID) FROM $wpdb->posts" );
	// What differs from copy to copy; the keys of rows give themselves.
	$named = "CONCAT('COPY-', seq)";
	$own   = array(
		$wpdb->posts                         => array( 'ID' => "$base + seq", 'post_title' => $named, 'post_name' => "LOWER($named)", 'guid' => $named ),
		$wpdb->postmeta                      => array( 'meta_id' => 'NULL', 'post_id' => "$base + seq", 'meta_value' => "IF(meta_key = '_sku', $named, meta_value)" ),
		$wpdb->term_relationships            => array( 'object_id' => "$base + seq" ),
		$wpdb->prefix . 'wc_product_meta_lookup' => array( 'product_id' => "$base + seq", 'sku' => $named ),
	);
	foreach ( $own as $table => $values ) {
		$columns = $wpdb->get_col( "SHOW COLUMNS FROM $table" );
		$of      = array_values( array_intersect( array( 'ID', 'post_id', 'object_id', 'product_id' ), $columns ) )[0];
		$select  = implode( ', ', array_map( static fn( string $column ): string => $values[ $column ] ?? "t.`$column`", $columns ) );
		if ( false === $wpdb->query( "INSERT INTO $table SELECT $select FROM $table t JOIN seq_1_to_$count WHERE t.$of = $id" ) ) {
			throw new \RuntimeException( $wpdb->last_error );
		}
	}
	delete_transient( 'wc_products_onsale' );
	wp_cache_flush();
}

/**
 * Orders of one to three lines: most paid, some completed, some called off, some still to be paid.
 *
 * @param int       $count     How many.
 * @param list<int> $owners    What can be bought.
 * @param list<int> $customers Who buys.
 */
function seed_orders( int $count, array $owners, array $customers ): void {
	in_one_go(
		$count,
		static function ( int $at ) use ( $owners, $customers ): int {
			$order = new \WC_Order();
			$order->set_customer_id( $customers[ $at % count( $customers ) ] );
			$order->set_billing_email( 'buyer-' . $at % count( $customers ) . '@buyers.example' );
			for ( $line = 0; $line <= $at % 3; $line++ ) {
				$order->add_product( wc_get_product( $owners[ ( $at * 7 + $line * 31 ) % count( $owners ) ] ), 1 );
			}
			$order->calculate_totals();
			$order->save();
			if ( 0 !== $at % 10 ) {
				$order->update_status( 'processing' );
			}
			if ( 3 === $at % 10 || 4 === $at % 10 ) {
				$order->update_status( 'completed' );
			}
			if ( 5 === $at % 10 ) {
				$order->update_status( 'cancelled' );
			}
			return $order->get_id();
		}
	);
}

/**
 * Makes many of a kind, a hundred to a transaction.
 *
 * @template T
 * @param int              $count How many.
 * @param callable(int): T $make  Makes one.
 * @return list<T>
 */
function in_one_go( int $count, callable $make ): array {
	global $wpdb;
	$made = array();
	for ( $at = 0; $at < $count; $at++ ) {
		if ( 0 === $at % 100 ) {
			$wpdb->query( 'COMMIT' );
			$wpdb->query( 'START TRANSACTION' );
			// What was made is not asked for again soon; a process that keeps it all runs out of memory.
			wp_cache_flush();
		}
		$made[] = $make( $at );
	}
	$wpdb->query( 'COMMIT' );
	return $made;
}
