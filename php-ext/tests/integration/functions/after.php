<?php
echo json_encode([
    'open' => nexpura_open(getenv('CONNECTION')),
    'mark' => nexpura_mark('order', 84),
    'capture' => nexpura_capture('order', 84, 'created', '{"id":84}', '{"rev":1}'),
    'finish' => nexpura_finish(),
]);
