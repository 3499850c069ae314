<?php
/**
 * Products and variations, as posts with WooCommerce's own meta.
 */

declare(strict_types=1);

/** A product. */
abstract class WC_Product extends WC_Data {

	/** The post type that keeps it. */
	protected const POST_TYPE = 'product';

	protected array $data = array(
		'name'              => '',
		'slug'              => '',
		'sku'               => '',
		'status'            => 'publish',
		'regular_price'     => '',
		'sale_price'        => '',
		'short_description' => '',
		'manage_stock'      => false,
		'stock_quantity'    => null,
		'stock_status'      => 'instock',
		'backorders'        => 'no',
		'parent_id'         => 0,
		'image_id'          => 0,
		'attributes'        => array(),
		'tax_class'         => '',
		'total_sales'       => 0,
		'date_created'      => null,
		'date_modified'     => null,
	);

	/** @var array<string,mixed> As it stood when it was read. */
	private array $before = array();

	/** Its type. */
	abstract public function get_type(): string;

	/** Reads it; an id of 0 makes a new one. */
	public function __construct( int $id = 0 ) {
		$post = $id ? get_post( $id ) : null;
		if ( ! $post ) {
			return;
		}
		$this->id   = $id;
		$meta       = static fn( string $key ) => get_post_meta( $id, $key, true );
		$this->data = array(
			'name'              => $post->post_title,
			'slug'              => $post->post_name,
			'sku'               => (string) $meta( '_sku' ),
			'status'            => $post->post_status,
			'regular_price'     => (string) $meta( '_regular_price' ),
			'sale_price'        => '',
			'short_description' => $post->post_excerpt,
			'manage_stock'      => 'yes' === $meta( '_manage_stock' ),
			'stock_quantity'    => '' === $meta( '_stock' ) ? null : (int) $meta( '_stock' ),
			'stock_status'      => (string) $meta( '_stock_status' ),
			'backorders'        => $meta( '_backorders' ) ?: 'no',
			'parent_id'         => $post->post_parent,
			'image_id'          => (int) $meta( '_thumbnail_id' ),
			'attributes'        => $meta( '_product_attributes' ) ?: array(),
			'tax_class'         => '',
			'total_sales'       => (int) $meta( 'total_sales' ),
			'date_created'      => $post->post_date_gmt,
			'date_modified'     => $post->post_modified_gmt,
		);

		$this->before = $this->data;
	}

	/** Whether it is of a type. */
	public function is_type( string $type ): bool {
		return $type === $this->get_type();
	}

	/** What it costs. */
	public function get_price(): string {
		return $this->data['regular_price'];
	}

	/** Whether its own stock is counted. */
	public function managing_stock(): bool|string {
		return $this->data['manage_stock'];
	}

	/** Whose stock it draws on. */
	public function get_stock_managed_by_id(): int {
		return $this->id;
	}

	/** Whether it may be sold below nothing. */
	public function backorders_allowed(): bool {
		return 'no' !== $this->data['backorders'];
	}

	/** The address of its page. */
	public function get_permalink(): string {
		return (string) get_permalink( $this->id );
	}

	/** Whether so many of it can be sold. */
	public function has_enough_stock( int $quantity ): bool {
		$owner = wc_get_product( $this->get_stock_managed_by_id() );
		return ! $owner->managing_stock() || $owner->backorders_allowed() || $owner->get_stock_quantity() >= $quantity;
	}

	/** Its name on an order. */
	public function get_title_on_order(): string {
		return $this->data['name'];
	}

	/** Saves it and says so, as WooCommerce does. */
	public function save(): int {
		$new = 0 === $this->id;
		$this->data['stock_status'] = $this->status_of_stock();
		$post = array(
			'ID'           => $this->id,
			'post_type'    => static::POST_TYPE,
			'post_title'   => $this->data['name'],
			'post_excerpt' => $this->data['short_description'],
			'post_status'  => $this->data['status'],
			'post_parent'  => $this->data['parent_id'],
			'meta_input'   => array(
				'_sku'                => $this->data['sku'],
				'_regular_price'      => $this->data['regular_price'],
				'_price'              => $this->data['regular_price'],
				'_manage_stock'       => $this->data['manage_stock'] ? 'yes' : 'no',
				'_stock_status'       => $this->data['stock_status'],
				'_stock'              => $this->data['stock_quantity'] ?? '',
				'_backorders'         => $this->data['backorders'],
				'_product_attributes' => $this->data['attributes'],
				'_double_type'        => $this->get_type(),
			) + ( $this->data['image_id'] ? array( '_thumbnail_id' => $this->data['image_id'] ) : array() ),
		);
		$this->id = wp_insert_post( wp_slash( $post ), true );
		$kind     = $this->is_type( 'variation' ) ? 'variation' : 'product';
		if ( $new || $this->data['stock_quantity'] !== ( $this->before['stock_quantity'] ?? null ) ) {
			if ( $this->data['manage_stock'] ) {
				do_action( "woocommerce_{$kind}_set_stock", $this );
			}
		}
		$suffix = 'variation' === $kind ? 'product_variation' : 'product';
		do_action( $new ? "woocommerce_new_$suffix" : "woocommerce_update_$suffix", $this->id, $this );
		$this->before = $this->data;
		return $this->id;
	}

	/** In stock, out of it, or on backorder. */
	private function status_of_stock(): string {
		if ( ! $this->data['manage_stock'] || $this->data['stock_quantity'] > 0 ) {
			return 'instock';
		}
		return $this->backorders_allowed() ? 'onbackorder' : 'outofstock';
	}
}

/** A product of one kind. */
final class WC_Product_Simple extends WC_Product {

	/** Its type. */
	public function get_type(): string {
		return 'simple';
	}
}

/** A product in several variations. */
final class WC_Product_Variable extends WC_Product {

	/** Its type. */
	public function get_type(): string {
		return 'variable';
	}

	/** What its cheapest variation costs. */
	public function get_price(): string {
		$prices = array_map( static fn( int $id ) => wc_get_product( $id )->get_price(), $this->get_children() );
		return $prices ? min( $prices ) : '';
	}

	/** @return list<int> Its variations. */
	public function get_children(): array {
		return get_posts(
			array(
				'post_type'   => 'product_variation',
				'post_parent' => $this->id,
				'fields'      => 'ids',
				'numberposts' => -1,
				'orderby'     => 'ID',
				'order'       => 'ASC',
			)
		);
	}

	/** There is nothing derived to bring up to date. */
	public static function sync( int $id ): void {
	}
}

/** One variation of a product. */
final class WC_Product_Variation extends WC_Product {

	protected const POST_TYPE = 'product_variation';

	/** Its type. */
	public function get_type(): string {
		return 'variation';
	}

	/** Counted by itself, by its parent, or not. */
	public function managing_stock(): bool|string {
		if ( $this->data['manage_stock'] ) {
			return true;
		}
		return true === wc_get_product( $this->data['parent_id'] )->managing_stock() ? 'parent' : false;
	}

	/** Whose stock it draws on. */
	public function get_stock_managed_by_id(): int {
		return 'parent' === $this->managing_stock() ? $this->data['parent_id'] : $this->id;
	}

	/** What sets it apart, for REST. */
	public function get_title_on_order(): string {
		return get_the_title( $this->data['parent_id'] ) . ' - ' . implode( ', ', $this->data['attributes'] );
	}
}

/** An attribute that sets variations apart. */
final class WC_Product_Attribute extends WC_Data {

	protected array $data = array(
		'name'      => '',
		'options'   => array(),
		'visible'   => false,
		'variation' => false,
	);
}

/** The product or variation of an id; false where there is none. */
function wc_get_product( mixed $id ): WC_Product|false {
	$id   = $id instanceof WP_Post ? $id->ID : (int) $id;
	$type = get_post_type( $id );
	if ( ! in_array( $type, array( 'product', 'product_variation' ), true ) ) {
		return false;
	}
	return match ( get_post_meta( $id, '_double_type', true ) ) {
		'variable'  => new WC_Product_Variable( $id ),
		'variation' => new WC_Product_Variation( $id ),
		default     => new WC_Product_Simple( $id ),
	};
}

/** The id of a SKU; 0 where there is none. */
function wc_get_product_id_by_sku( string $sku ): int {
	global $wpdb;
	return (int) $wpdb->get_var(
		$wpdb->prepare(
			"SELECT p.ID FROM {$wpdb->posts} p JOIN {$wpdb->postmeta} m ON m.post_id = p.ID AND m.meta_key = '_sku'
			WHERE m.meta_value = %s AND p.post_status <> 'trash' ORDER BY p.ID LIMIT 1",
			$sku
		)
	);
}
