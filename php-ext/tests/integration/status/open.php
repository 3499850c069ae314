<?php
$fine = getenv('CONNECTION');
$told = ['fine' => nexpura_open("  $fine\n")];
$told['empty'] = nexpura_open('   ');
$told['nonsense'] = nexpura_open('hello');
$told['insecure'] = nexpura_open(str_replace('127.0.0.1', 'relay.example', $fine));
$told['no secret'] = nexpura_open(preg_replace('/:whsec_[^@]*/', '', $fine));
$told['damaged'] = nexpura_open(preg_replace('/whsec_..../', 'whsec_', $fine));
$told['kept'] = nexpura_mark('order', 84);
echo json_encode($told);
