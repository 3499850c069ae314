<?php
/**
 * A section of WooCommerce → Status, which merchants copy to those who help them. No secret is in it.
 *
 * @package Nexpura
 */

namespace Nexpura;

defined( 'ABSPATH' ) || exit;

add_action(
	'woocommerce_system_status_report',
	static function (): void {
		$fields = guarded( __NAMESPACE__ . '\system_status_fields', array(), 'gathering the system status' );
		?>
		<table class="wc_status_table widefat" cellspacing="0">
			<thead><tr><th colspan="3" data-export-label="Nexpura"><h2>Nexpura</h2></th></tr></thead>
			<tbody>
		<?php
		foreach ( $fields as $name => $field ) {
			printf(
				'<tr><td data-export-label="%1$s">%2$s:</td><td class="help">&nbsp;</td><td style="overflow-wrap:anywhere">%3$s</td></tr>',
				esc_attr( ucfirst( str_replace( '_', ' ', (string) $name ) ) ),
				esc_html( $field['label'] ),
				esc_html( $field['value'] )
			);
		}
		echo '</tbody></table>';
	}
);

/**
 * What Site Health tells of us, and what the relay says.
 *
 * @return array<string, array{label: string, value: string}>
 */
function system_status_fields(): array {
	$fields = debug_fields();
	if ( is_connected() ) {
		$fields['nexpura_says'] = array(
			'label' => __( 'Nexpura says', 'nexpura' ),
			'value' => store_in_words( standing() ),
		);
	}
	return $fields;
}
