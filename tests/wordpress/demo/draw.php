<?php
/**
 * Draws the demo's jewellery: `php draw.php FOLDER` writes one PNG for each piece.
 *
 * Everything is drawn at three times its size and scaled down, so that edges come out smooth.
 */

declare(strict_types=1);

const SIZE  = 640;
const SCALE = 3;
const FULL  = SIZE * SCALE;

/** @var array<string,array{metal:string,stone?:string,kind:string,ground:array{int,int,int}}> What there is to draw. */
const PIECES = array(
	'aurora'   => array( 'kind' => 'ring', 'metal' => 'gold', 'stone' => 'diamond', 'ground' => array( 236, 232, 242 ) ),
	'verdant'  => array( 'kind' => 'ring', 'metal' => 'gold', 'stone' => 'emerald', 'ground' => array( 228, 238, 230 ) ),
	'meridian' => array( 'kind' => 'band', 'metal' => 'gold', 'ground' => array( 244, 236, 224 ) ),
	'tide'     => array( 'kind' => 'pendant', 'metal' => 'silver', 'stone' => 'sapphire', 'ground' => array( 226, 233, 243 ) ),
	'ember'    => array( 'kind' => 'pendant', 'metal' => 'gold', 'stone' => 'ruby', 'ground' => array( 246, 230, 230 ) ),
	'luna'     => array( 'kind' => 'earrings', 'metal' => 'silver', 'stone' => 'pearl', 'ground' => array( 236, 236, 238 ) ),
	'halo'     => array( 'kind' => 'bangle', 'metal' => 'silver', 'ground' => array( 232, 236, 240 ) ),
	'thread'   => array( 'kind' => 'chain', 'metal' => 'gold', 'ground' => array( 245, 240, 230 ) ),
);

/** @var array<string,array{array{int,int,int},array{int,int,int},array{int,int,int}}> Dark, middle and light of each material. */
const MATERIALS = array(
	'gold'     => array( array( 140, 96, 30 ), array( 214, 168, 78 ), array( 255, 240, 190 ) ),
	'silver'   => array( array( 112, 118, 130 ), array( 184, 190, 200 ), array( 255, 255, 255 ) ),
	'diamond'  => array( array( 150, 175, 205 ), array( 214, 230, 245 ), array( 255, 255, 255 ) ),
	'emerald'  => array( array( 8, 80, 48 ), array( 24, 140, 84 ), array( 150, 230, 180 ) ),
	'sapphire' => array( array( 14, 34, 110 ), array( 40, 80, 190 ), array( 160, 195, 255 ) ),
	'ruby'     => array( array( 110, 8, 30 ), array( 190, 26, 60 ), array( 255, 165, 175 ) ),
	'pearl'    => array( array( 176, 168, 172 ), array( 232, 226, 226 ), array( 255, 255, 255 ) ),
);

/** A colour between a material's dark (0), middle (0.5) and light (1). */
function shade( GdImage $image, string $material, float $light ): int {
	$light = max( 0.0, min( 1.0, $light ) );
	$from  = MATERIALS[ $material ][ $light < 0.5 ? 0 : 1 ];
	$to    = MATERIALS[ $material ][ $light < 0.5 ? 1 : 2 ];
	$part  = $light < 0.5 ? $light * 2 : $light * 2 - 1;
	return imagecolorallocate( $image, ...array_map( static fn( $a, $b ) => (int) round( $a + ( $b - $a ) * $part ), $from, $to ) );
}

/** A soft ground, lighter towards the middle. */
function ground( GdImage $image, array $colour ): void {
	imagefilledrectangle( $image, 0, 0, FULL, FULL, imagecolorallocate( $image, ...$colour ) );
	for ( $step = 0; $step < 60; $step++ ) {
		$width = (int) ( FULL * ( 1.25 - $step / 60 ) );
		$mixed = array_map( static fn( $part ) => (int) round( $part + ( 255 - $part ) * $step / 75 ), $colour );
		imagefilledellipse( $image, FULL / 2, (int) ( FULL * 0.47 ), $width, $width, imagecolorallocate( $image, ...$mixed ) );
	}
}

/** A shadow on the ground under a piece. */
function shadow( GdImage $image, float $x, float $y, float $width ): void {
	for ( $step = 0; $step < 24; $step++ ) {
		$part = 1 - $step / 24;
		imagefilledellipse( $image, (int) $x, (int) $y, (int) ( $width * $part ), (int) ( $width * 0.1 * $part ), imagecolorallocatealpha( $image, 70, 60, 70, 124 ) );
	}
}

/** A hoop of metal: an ellipse whose tube is lit from the upper left. */
function hoop( GdImage $image, float $x, float $y, float $across, float $high, float $tube, string $metal ): void {
	for ( $layer = 0; $layer < 14; $layer++ ) {
		$off  = ( $layer / 13 - 0.5 ) * $tube;
		$bend = cos( ( $layer / 13 - 0.5 ) * M_PI );
		for ( $degree = 0.0; $degree < 360; $degree += 0.25 ) {
			$angle = deg2rad( $degree );
			$light = 0.5 + 0.42 * cos( $angle - deg2rad( 235 ) ) * $bend + 0.28 * cos( 3 * $angle + 1.1 ) * $bend - 0.15;
			$px    = $x + cos( $angle ) * ( $across + $off );
			$py    = $y + sin( $angle ) * ( $high + $off * 0.94 );
			imagefilledellipse( $image, (int) $px, (int) $py, (int) ( $tube / 7 ), (int) ( $tube / 7 ), shade( $image, $metal, $light ) );
		}
	}
}

/** A cut stone seen from above: a table in the middle, facets around it. */
function stone( GdImage $image, float $x, float $y, float $radius, string $material, float $stretch = 1.0 ): void {
	$corners = 16;
	$point   = static fn( float $part, int $of, float $turn = 0.0 ): array => array(
		$x + cos( 2 * M_PI * ( $of + $turn ) / $corners ) * $radius * $part,
		$y + sin( 2 * M_PI * ( $of + $turn ) / $corners ) * $radius * $part * $stretch,
	);
	for ( $i = 0; $i < $corners; $i++ ) {
		$light = 0.5 + 0.38 * cos( 2 * M_PI * $i / $corners - deg2rad( 230 ) ) + ( $i % 2 ? 0.14 : -0.12 );
		imagefilledpolygon( $image, array_map( 'intval', array( ...$point( 1, $i ), ...$point( 1, $i + 1 ), ...$point( 0.55, $i, 0.5 ) ) ), shade( $image, $material, $light ) );
		imagefilledpolygon( $image, array_map( 'intval', array( ...$point( 1, $i ), ...$point( 0.55, $i, 0.5 ), ...$point( 0.55, $i - 1, 0.5 ) ) ), shade( $image, $material, $light + ( $i % 3 ? 0.16 : -0.2 ) ) );
	}
	$table = array();
	for ( $i = 0; $i < $corners; $i++ ) {
		array_push( $table, ...$point( 0.55, $i, 0.5 ) );
	}
	imagefilledpolygon( $image, array_map( 'intval', $table ), shade( $image, $material, 0.68 ) );
	$glint = array( ...$point( 0.5, 8 ), ...$point( 0.5, 10 ), ...$point( 0.5, 12 ), ...$point( 0.12, 10 ) );
	imagefilledpolygon( $image, array_map( 'intval', $glint ), shade( $image, $material, 0.96 ) );
}

/** A round pearl. */
function pearl( GdImage $image, float $x, float $y, float $radius ): void {
	for ( $step = 0; $step < 90; $step++ ) {
		$part = 1 - $step / 90;
		imagefilledellipse(
			$image,
			(int) ( $x - $radius * 0.3 * ( 1 - $part ) ),
			(int) ( $y - $radius * 0.34 * ( 1 - $part ) ),
			(int) ( 2 * $radius * $part ),
			(int) ( 2 * $radius * $part ),
			shade( $image, 'pearl', 0.12 + 0.88 * ( 1 - $part ** 1.7 ) )
		);
	}
}

/** A chain that hangs between two points. */
function chain( GdImage $image, float $left, float $right, float $top, float $drop, float $link, string $metal, int $links ): void {
	for ( $i = 0; $i <= $links; $i++ ) {
		$part  = $i / $links * 2 - 1;
		$x     = $left + ( $right - $left ) * $i / $links;
		$y     = $top + $drop * ( 1 - $part * $part );
		$light = 0.5 + 0.4 * sin( $i * 1.9 );
		imagefilledellipse( $image, (int) $x, (int) $y, (int) $link, (int) $link, shade( $image, $metal, 0.15 ) );
		imagefilledellipse( $image, (int) ( $x - $link * 0.08 ), (int) ( $y - $link * 0.08 ), (int) ( $link * 0.78 ), (int) ( $link * 0.78 ), shade( $image, $metal, $light ) );
	}
}

/** Draws one piece. */
function draw( array $piece ): GdImage {
	$image = imagecreatetruecolor( FULL, FULL );
	ground( $image, $piece['ground'] );
	$u      = FULL / 100;
	$middle = 50 * $u;
	switch ( $piece['kind'] ) {
		case 'ring':
			shadow( $image, $middle, 88 * $u, 46 * $u );
			hoop( $image, $middle, 60 * $u, 24 * $u, 26 * $u, 5 * $u, $piece['metal'] );
			foreach ( array( -8, 8 ) as $off ) {
				imagefilledellipse( $image, (int) ( $middle + $off * $u ), (int) ( 33 * $u ), (int) ( 4 * $u ), (int) ( 9 * $u ), shade( $image, $piece['metal'], 0.45 ) );
			}
			stone( $image, $middle, 25 * $u, 12.5 * $u, $piece['stone'], 'emerald' === $piece['stone'] ? 0.82 : 0.94 );
			break;
		case 'band':
			shadow( $image, $middle, 85 * $u, 56 * $u );
			hoop( $image, $middle, 52 * $u, 29 * $u, 29 * $u, 9 * $u, $piece['metal'] );
			break;
		case 'bangle':
			shadow( $image, $middle, 80 * $u, 74 * $u );
			hoop( $image, $middle, 50 * $u, 37 * $u, 25 * $u, 5 * $u, $piece['metal'] );
			hoop( $image, $middle, 53 * $u, 36 * $u, 24 * $u, 2 * $u, $piece['metal'] );
			break;
		case 'pendant':
			chain( $image, 20 * $u, 80 * $u, 6 * $u, 40 * $u, 2.1 * $u, $piece['metal'], 70 );
			hoop( $image, $middle, 50 * $u, 2.6 * $u, 3.4 * $u, 1.4 * $u, $piece['metal'] );
			hoop( $image, $middle, 68 * $u, 14.5 * $u, 16.5 * $u, 2.6 * $u, $piece['metal'] );
			stone( $image, $middle, 68 * $u, 13.4 * $u, $piece['stone'], 1.14 );
			break;
		case 'earrings':
			foreach ( array( 33, 67 ) as $x ) {
				hoop( $image, $x * $u, 26 * $u, 6 * $u, 9 * $u, 1.5 * $u, $piece['metal'] );
				chain( $image, $x * $u - 1, $x * $u + 1, 36 * $u, 8 * $u, 1.8 * $u, $piece['metal'], 9 );
				shadow( $image, $x * $u, 83 * $u, 22 * $u );
				stone( $image, $x * $u, 44 * $u, 3.6 * $u, 'diamond' );
				pearl( $image, $x * $u, 60 * $u, 12.5 * $u );
			}
			break;
		case 'chain':
			chain( $image, 14 * $u, 86 * $u, 14 * $u, 58 * $u, 3.4 * $u, $piece['metal'], 62 );
			chain( $image, 22 * $u, 78 * $u, 12 * $u, 34 * $u, 2.4 * $u, $piece['metal'], 62 );
			break;
	}
	$small = imagecreatetruecolor( SIZE, SIZE );
	imagecopyresampled( $small, $image, 0, 0, 0, 0, SIZE, SIZE, FULL, FULL );
	return $small;
}

$folder = $argv[1] ?? null;
if ( null === $folder || ! is_dir( $folder ) ) {
	fwrite( STDERR, "usage: php draw.php FOLDER\n" );
	exit( 1 );
}
foreach ( PIECES as $name => $piece ) {
	imagepng( draw( $piece ), "$folder/$name.png", 9 );
}
