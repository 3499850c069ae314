<?php
/**
 * What must hold of the plugin's style sheets: WordPress's admin runs from right to left as well, and so no rule names a
 * left or a right. Small bad examples prove that the rule bites.
 */

declare(strict_types=1);

/**
 * The declarations of a style sheet that take sides.
 *
 * @return string[]
 */
function sided( string $css ): array {
	$css = preg_replace( '~/\*.*?\*/~s', '', $css );
	preg_match_all( '~(?<=[{;])\s*([a-z-]+)\s*:\s*([^;{}]+)(?=[;}])~', $css, $found, PREG_SET_ORDER );
	$wrong = array();
	foreach ( $found as list( , $property, $value ) ) {
		$sides   = preg_match( '~(^|-)(left|right)($|-)~', $property )
			|| preg_match( '~^(text-align|float|clear|background|background-position|transform-origin)$~', $property ) && preg_match( '~\b(left|right)\b~', $value );
		$lengths = preg_split( '~\s+~', trim( str_replace( '!important', '', $value ) ) );
		// Four lengths begin above and go round clockwise; corners begin at the left.
		$uneven  = preg_match( '~^(margin|padding|inset|border-(width|style|color))$~', $property ) && 4 === count( $lengths ) && $lengths[1] !== $lengths[3];
		$corners = 'border-radius' === $property && count( array_unique( $lengths ) ) > 1;
		if ( $sides || $uneven || $corners ) {
			$wrong[] = "$property: " . trim( $value );
		}
	}
	return $wrong;
}

$bad  = array(
	'a { left: 12px; }',
	'a { margin-right: 1em }',
	'a { color: red; border-left-width: 2px; }',
	'a { text-align: right; }',
	'a { background: url(a.svg) no-repeat left; }',
	'a { padding: 5px 20px 12px 162px !important; }',
	'@media (max-width: 9px) { a { margin: 0 0 0 1em; } }',
	'a { border-radius: 8px 0 0 8px; }',
);
$good = array(
	'/* left: 12px; */ a { margin: 4px 0 0; padding: 1px 2px 3px 2px; }',
	'a { inset-inline-start: 12px; padding-inline: 162px 20px !important; text-align: start; }',
	'.left:hover { border-radius: 8px; }',
);
foreach ( array( ...$bad, ...$good ) as $number => $css ) {
	if ( ( array() === sided( $css ) ) !== ( $number >= count( $bad ) ) ) {
		fwrite( STDERR, "styles: this example is judged wrongly: $css\n" );
		exit( 1 );
	}
}

$plugin = dirname( __DIR__, 2 ) . '/wp-plugin';
$files  = glob( "$plugin/assets/*.css" );
$failed = 0;
foreach ( $files as $file ) {
	foreach ( sided( file_get_contents( $file ) ) as $wrong ) {
		fwrite( STDERR, 'styles: ' . substr( $file, strlen( $plugin ) + 1 ) . ' takes sides: ' . $wrong . "\n" );
		++$failed;
	}
}
if ( $failed > 0 || array() === $files ) {
	exit( 1 );
}
echo 'styles: ', count( $bad ), ' bad examples are found, ', count( $files ), " file takes no sides\n";
