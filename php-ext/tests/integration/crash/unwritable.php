<?php
nexpura_open(getenv('CONNECTION'));
echo json_encode([
    'mark' => nexpura_mark('order', 84, 'created'),
    'marks' => nexpura_marks(),
    'capture' => nexpura_capture('order', 84, 'created', '{}', null),
    'finish' => nexpura_finish(),
    'status' => nexpura_status(),
    'drain' => nexpura_drain(0),
]);
