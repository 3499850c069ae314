<?php
nexpura_open(getenv('CONNECTION'));
$captured = nexpura_capture('order', 99, 'created', '{}', null);
$status = nexpura_status();
echo json_encode(['captured' => $captured, 'unsent' => $status['unsent'], 'writable' => $status['writable']]);
