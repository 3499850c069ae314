<?php
nexpura_open(getenv('CONNECTION'));
$log = ini_get('nexpura.spool_dir') . '/' . parse_url(getenv('CONNECTION'), PHP_URL_USER) . '.db-wal';
$open = fn () => nexpura_status()['open_intents'];
$size = function () use ($log) {
    clearstatcache();
    return filesize($log);
};
$told = [];
nexpura_mark('order', 84, 'created');
$told['open_after_first'] = $open();
$before = $size();
for ($i = 0; $i < 100; ++$i) {
    nexpura_mark('order', 84, 'updated');
}
$told['written_by_hundred_more'] = $size() - $before;
$told['open_after_hundred_more'] = $open();
nexpura_mark('product', 84);
$told['open_after_another'] = $open();
$told['marks'] = nexpura_marks();
nexpura_capture('order', 84, 'created', '{"id":84}', null);
$told['marks_after_capture'] = nexpura_marks();
$told['open_after_capture'] = $open();
nexpura_mark('order', 84);
$told['marked_again_after_capture'] = count(nexpura_marks());
nexpura_finish();
$told['marks_after_finish'] = nexpura_marks();
$told['open_after_finish'] = $open();
echo json_encode($told);
