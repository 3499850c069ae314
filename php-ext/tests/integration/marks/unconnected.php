<?php
echo json_encode([
    nexpura_mark('order', 84),
    nexpura_marks(),
    nexpura_capture('order', 84, 'updated', '{}', null),
    nexpura_finish(),
    is_dir(ini_get('nexpura.spool_dir')),
]);
