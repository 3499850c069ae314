<?php
/**
 * Products as a merchant makes and changes them.
 */

declare(strict_types=1);

namespace Nexpura_Tests;

/**
 * A simple product.
 *
 * @param array{sku:string,name?:string,price:string,stock:int|null,backorders?:string,picture?:string,category?:string,attributes?:array<string,list<string>>} $args No stock: unmanaged.
 */
function add_product( array $args ): int {
	$product = new \WC_Product_Simple();
	$product->set_name( $args['name'] ?? $args['sku'] );
	$product->set_sku( $args['sku'] );
	$product->set_regular_price( $args['price'] );
	if ( isset( $args['description'] ) ) {
		$product->set_short_description( $args['description'] );
	}
	own_stock( $product, $args['stock'], $args['backorders'] ?? 'no' );
	if ( isset( $args['picture'] ) ) {
		$product->set_image_id( picture( $args['picture'], $args['name'] ?? $args['sku'] ) );
	}
	if ( isset( $args['category'] ) ) {
		$product->set_category_ids( array( wp_insert_term( $args['category'], 'product_cat' )['term_id'] ) );
	}
	$attributes = array();
	foreach ( $args['attributes'] ?? array() as $name => $values ) {
		$attribute = new \WC_Product_Attribute();
		$attribute->set_name( $name );
		$attribute->set_options( $values );
		$attribute->set_visible( true );
		$attributes[] = $attribute;
	}
	$product->set_attributes( $attributes );
	return $product->save();
}

/**
 * A variable product by size, its stock its own (`stock` set) or its variations'.
 *
 * @param array{sku:string,price:string,stock:int|null,variations:list<array{sku:string,size:string,stock:int|null}>} $args The parent and its variations.
 * @return array{id:int,variations:list<int>}
 */
function add_variable_product( array $args ): array {
	$size = new \WC_Product_Attribute();
	$size->set_name( 'Size' );
	$size->set_options( array_column( $args['variations'], 'size' ) );
	$size->set_visible( true );
	$size->set_variation( true );

	$parent = new \WC_Product_Variable();
	$parent->set_name( $args['name'] ?? $args['sku'] );
	$parent->set_sku( $args['sku'] );
	$parent->set_attributes( array( $size ) );
	own_stock( $parent, $args['stock'], $args['backorders'] ?? 'no' );
	if ( isset( $args['picture'] ) ) {
		$parent->set_image_id( picture( $args['picture'], $args['name'] ?? $args['sku'] ) );
	}
	$id = $parent->save();

	$variations = array();
	foreach ( $args['variations'] as $wish ) {
		$variation = new \WC_Product_Variation();
		$variation->set_parent_id( $id );
		$variation->set_sku( $wish['sku'] );
		$variation->set_regular_price( $args['price'] );
		$variation->set_attributes( array( 'size' => $wish['size'] ) );
		own_stock( $variation, $wish['stock'], 'no' );
		$variations[] = $variation->save();
	}
	\WC_Product_Variable::sync( $id );
	return array( 'id' => $id, 'variations' => $variations );
}

/** Gives a product stock of its own, or none that is managed. */
function own_stock( \WC_Product $product, ?int $stock, string $backorders ): void {
	$product->set_manage_stock( null !== $stock );
	if ( null !== $stock ) {
		$product->set_stock_quantity( $stock );
		$product->set_backorders( $backorders );
	}
}

/** Puts a picture into the media library and gives its id. */
function picture( string $file, string $title ): int {
	require_once ABSPATH . 'wp-admin/includes/image.php';
	$copy = wp_upload_bits( basename( $file ), null, file_get_contents( $file ) );
	if ( $copy['error'] ) {
		throw new \RuntimeException( $copy['error'] );
	}
	$id = wp_insert_attachment(
		array( 'post_mime_type' => wp_check_filetype( $copy['file'] )['type'], 'post_title' => $title ),
		$copy['file'],
		0,
		true
	);
	if ( is_wp_error( $id ) ) {
		throw new \RuntimeException( $id->get_error_message() );
	}
	wp_update_attachment_metadata( $id, wp_generate_attachment_metadata( $id, $copy['file'] ) );
	return $id;
}

/**
 * What the shop has of a SKU: the count of whoever owns its stock; nothing where it is unmanaged.
 *
 * @param array{sku:string} $args Which.
 */
function stock( array $args ): int|float|null {
	$product = by_sku( $args['sku'] );
	if ( ! $product->managing_stock() ) {
		return null;
	}
	return wc_get_product( $product->get_stock_managed_by_id() )->get_stock_quantity( 'edit' );
}

/**
 * Sets a stock by hand, as the product's page in the admin does.
 *
 * @param array{sku:string,stock:int} $args Which, and to what.
 */
function set_stock( array $args ): bool {
	$product = by_sku( $args['sku'] );
	$product->set_stock_quantity( $args['stock'] );
	$product->save();
	return true;
}

/** The product of a SKU; an exception where there is none. */
function by_sku( string $sku ): \WC_Product {
	$product = wc_get_product( wc_get_product_id_by_sku( $sku ) );
	if ( ! $product ) {
		throw new \RuntimeException( "there is no product $sku" );
	}
	return $product;
}
