<?php
// Every call into the extension panics inside; this script must not notice more than that it failed.
echo json_encode([
    nexpura_open(getenv('CONNECTION')),
    nexpura_mark('order', 84),
    nexpura_capture('order', 84, 'updated', '{}', null),
    nexpura_finish(),
    nexpura_lineage('a', 'b'),
    nexpura_marks(),
    nexpura_waiting('order'),
    nexpura_status()['writable'],
    nexpura_drain(1)['sent'],
]);
