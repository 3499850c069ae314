<?php
nexpura_open(getenv('CONNECTION'));
$captured = 0;
for ($id = 1; $id <= 50; ++$id) {
    nexpura_mark('order', $id, 'created');
    $captured += (int) nexpura_capture('order', $id, 'created', json_encode(['t' => str_repeat('x', 10000)]), null);
}
$status = nexpura_status();
nexpura_finish();
echo json_encode(['went_on' => true, 'captured' => $captured, 'writable' => $status['writable'], 'last_error' => $status['last_error']]);
