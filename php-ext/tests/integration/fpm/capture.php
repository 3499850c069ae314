<?php
$id = (int) $_GET['id'];
nexpura_open($_SERVER['CONNECTION']);
nexpura_mark('order', $id, 'created');
echo json_encode([
    'pid' => getmypid(),
    'captured' => nexpura_capture('order', $id, 'created', json_encode(['id' => $id]), null),
]);
fastcgi_finish_request();
nexpura_finish();
// Long enough for the other workers to get a turn as well.
usleep(20000);
