<?php
echo json_encode([
    'mark' => nexpura_mark('order', 84),
    'id' => nexpura_status()['connection_id'],
    'changed_by_the_shop' => ini_set('nexpura.spool_dir', '/elsewhere') || ini_set('nexpura.connection', 'x'),
]);
