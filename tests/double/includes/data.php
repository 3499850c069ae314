<?php
/**
 * What WooCommerce's objects have in common: properties behind getters and setters, and meta.
 */

declare(strict_types=1);

/**
 * An object with an id. Each key of `$data` has a getter and a setter of its name, as WooCommerce's objects have.
 */
abstract class WC_Data {

	/** The id, 0 until it is saved. */
	protected int $id = 0;

	/** @var array<string,mixed> Its properties. */
	protected array $data = array();

	/** @var array<string,mixed> Its meta. */
	protected array $meta = array();

	/**
	 * Answers `get_x()` and `set_x( $value )` for every property x.
	 *
	 * @param string      $name The method.
	 * @param list<mixed> $args Its arguments.
	 */
	public function __call( string $name, array $args ): mixed {
		$verb     = substr( $name, 0, 4 );
		$property = substr( $name, 4 );
		if ( array_key_exists( $property, $this->data ) ) {
			if ( 'get_' === $verb ) {
				return $this->data[ $property ];
			}
			if ( 'set_' === $verb ) {
				$this->data[ $property ] = $args[0];
				return null;
			}
		}
		throw new BadMethodCallException( 'the store double has no ' . static::class . "::$name()" );
	}

	/** Its id. */
	public function get_id(): int {
		return $this->id;
	}

	/** Gives it its id. */
	public function set_id( int $id ): void {
		$this->id = $id;
	}

	/** One value of its meta, an empty text without one. */
	public function get_meta( string $key ): mixed {
		return $this->meta[ $key ] ?? '';
	}

	/** Sets a value of its meta. */
	public function update_meta_data( string $key, mixed $value ): void {
		$this->meta[ $key ] = $value;
	}

	/** Removes a value of its meta. */
	public function delete_meta_data( string $key ): void {
		unset( $this->meta[ $key ] );
	}
}

/** A moment of the database, in GMT, as REST tells it. */
function double_moment( ?string $gmt ): ?string {
	return $gmt && ! str_starts_with( $gmt, '0000' ) ? str_replace( ' ', 'T', $gmt ) : null;
}
