<?php
nexpura_open(getenv('CONNECTION'));
$now = time();
while (time() === $now) {
    usleep(1000);
}
$now = time();
nexpura_capture('order', 84, 'created', '{"id":84}', null);
nexpura_capture('order', 85, 'created', '{"id":85}', null);
nexpura_finish();
$before = nexpura_status();
$after = nexpura_drain(10);
echo json_encode(compact('now', 'before', 'after'));
