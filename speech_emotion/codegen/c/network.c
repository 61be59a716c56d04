$layers
$power
$normalise
$entry