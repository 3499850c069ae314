<?php
// Compares what the engine knows of the extension's functions with what the stub says of them.

declare(strict_types=1);

$names = get_extension_funcs('nexpura');
$declared = [];
foreach ($names as $name) {
    $declared[$name] = signature(new ReflectionFunction($name));
}
// The stub's functions under names of their own, so that both can be looked at.
$stub = preg_replace('/function nexpura_/', 'function stub_nexpura_', file_get_contents($argv[1]));
eval('?>' . $stub);
$promised = [];
foreach ($names as $name) {
    $promised[$name] = signature(new ReflectionFunction('stub_' . $name));
}
echo json_encode(compact('names', 'declared', 'promised'));

function signature(ReflectionFunction $function): array
{
    return [
        'returns' => (string) $function->getReturnType(),
        'takes' => array_map(
            fn (ReflectionParameter $parameter) => [
                $parameter->getName(),
                (string) $parameter->getType(),
                $parameter->isOptional() ? $parameter->getDefaultValue() : 'required',
            ],
            $function->getParameters(),
        ),
    ];
}
