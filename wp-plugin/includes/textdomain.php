<?php
/**
 * The plugin's texts in the site's language, from languages/: WordPress before 6.8 looks there for nobody who is not from
 * wordpress.org, unless it is told to. From 6.8 on the header's Domain Path suffices.
 *
 * @package Nexpura
 */

namespace Nexpura;

defined( 'ABSPATH' ) || exit;

// Not before `init`: until then it is not known who looks, and so not in which language.
add_action(
	'init',
	static function (): void {
		if ( version_compare( get_bloginfo( 'version' ), '6.8', '<' ) ) {
			load_plugin_textdomain( 'nexpura', false, dirname( plugin_basename( PLUGIN_FILE ) ) . '/languages' );
		}
	}
);
