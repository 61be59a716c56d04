
#define WIDEST $widest
$layers
$power
$normalise
$entry