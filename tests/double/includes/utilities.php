<?php
/**
 * WooCommerce's small helpers that others call.
 */

declare(strict_types=1);

namespace Automattic\WooCommerce\Utilities {

	/** What a plugin says of its compatibility is of no consequence here. */
	final class FeaturesUtil {

		/** Takes note of nothing. */
		public static function declare_compatibility( string $feature, string $file, bool $compatible = true ): bool {
			return true;
		}
	}

	/** Orders are posts. */
	final class OrderUtil {

		/** Whether orders have tables of their own. */
		public static function custom_orders_table_usage_is_enabled(): bool {
			return false;
		}
	}
}

namespace Automattic\WooCommerce\Caches {

	/** There is no cache of orders. */
	final class OrderCache {

		/** Forgets an order. */
		public function remove( int $id ): void {
		}
	}
}

namespace {

	/** There are no caches beyond WordPress's own. */
	final class WC_Cache_Helper {

		/** Forgets a group. */
		public static function invalidate_cache_group( string $group ): void {
		}

		/** The beginning of a group's keys. */
		public static function get_cache_prefix( string $group ): string {
			return "wc_{$group}_";
		}
	}

	/** There is one store of data; what it does not know it passes over. */
	final class WC_Data_Store {

		/** The store for a type. */
		public static function load( string $type ): self {
			return new self();
		}

		/** WooCommerce ignores what a data store does not know. */
		public function __call( string $name, array $args ): mixed {
			return null;
		}
	}

	/** Makes each class once. */
	function wc_get_container(): object {
		return new class() {
			/** An object of a class. */
			public function get( string $name ): object {
				return new $name();
			}
		};
	}

	/** Writes to PHP's log. */
	function wc_get_logger(): object {
		return new class() {
			/** Any level's message. */
			public function __call( string $level, array $args ): void {
				error_log( "$level: $args[0]" );
			}
		};
	}

	/** Forty random hexadecimal digits. */
	function wc_rand_hash(): string {
		return bin2hex( random_bytes( 20 ) );
	}

	/** How consumer keys are kept. */
	function wc_api_hash( string $key ): string {
		return hash_hmac( 'sha256', $key, 'wc-api' );
	}

	/** Decimals of prices. */
	function wc_get_price_decimals(): int {
		return 2;
	}

	/** A number as WooCommerce keeps one. */
	function wc_format_decimal( mixed $number, int|false $decimals = false ): string {
		return false === $decimals ? (string) $number : number_format( (float) $number, $decimals, '.', '' );
	}

	/** The shop's currency. */
	function get_woocommerce_currency(): string {
		return get_option( 'woocommerce_currency', 'GBP' );
	}
}
