<?php
nexpura_open(getenv('CONNECTION'));
nexpura_mark('order', 85, 'created');
echo 'marked';
nobody_knows_this_function();
