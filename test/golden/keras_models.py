"""Makes test/golden/keras/: small models of the first network's layers as Keras saves them.

Made with Python 3.11, TensorFlow 2.21.0, Keras 3.15.1, tf_keras 2.21.0 (Keras 2), NumPy 2.4.6:
    pip install tensorflow-cpu==2.21.0 tf_keras==2.21.0
    python keras_models.py

Weights are random, biases too, so that each transposition that is wrong shows. `answers.json`
has the pixels, uint8 [2, C, H, W], and what each file's model answered for them.
"""
import json
import os
import pathlib

os.environ['CUDA_VISIBLE_DEVICES'] = ''
import keras
import numpy as np
import tf_keras

folder = pathlib.Path(__file__).parent / 'keras'
folder.mkdir(exist_ok=True)
height, width, channels, labels = 14, 12, 3, 4
random = np.random.default_rng(4)
pixels = random.integers(0, 256, (2, channels, height, width), dtype=np.uint8)


def layers(k, l):
    return [
        l.Conv2D(4, 3, activation='relu'),
        l.Conv2D(5, (3, 3), activation='relu'),
        l.MaxPooling2D((2, 2)),
        l.Conv2D(3, 3, use_bias=False),
        l.Activation('relu'),
        l.Dropout(0.25),
        l.Flatten(),
        l.Dense(7, activation='relu'),
        l.Dropout(0.5),
        l.Dense(labels, activation='sigmoid'),
    ]


def sequential(k):
    l = k.layers
    first = [k.Input((height, width, channels))] if k is keras else [l.InputLayer((height, width, channels))]
    return k.Sequential([*first, *layers(k, l)], name='small')


def functional(k):
    given = k.Input((height, width, channels))
    value = k.layers.Rescaling(1 / 255)(given)
    for layer in layers(k, k.layers):
        value = layer(value)
    return k.Model(given, value, name='small_functional')


answers = {}


def save(model, name, scaled):
    model.set_weights([random.normal(0, 0.4, w.shape).astype(np.float32) for w in model.get_weights()])
    model.save(folder / name)
    given = pixels.transpose(0, 2, 3, 1).astype(np.float32) / (1 if scaled else 255)
    answers[name] = model(given, training=False).numpy().ravel().tolist()


save(sequential(keras), 'keras3.keras', False)
save(functional(keras), 'keras3-functional.keras', True)
save(sequential(keras), 'keras3.h5', False)
save(sequential(tf_keras), 'keras2.h5', False)
save(functional(tf_keras), 'keras2-functional.h5', True)
save(sequential(tf_keras), 'keras2.keras', False)

unfit = keras.Sequential([
    keras.Input((height, width, channels)),
    keras.layers.Conv2D(2, 3, padding='same', name='padded'),
    keras.layers.BatchNormalization(name='norm'),
    keras.layers.Flatten(),
    keras.layers.Dense(labels, activation='softmax', name='exclusive'),
])
unfit.save(folder / 'unfit.keras')

document = {
    'madeBy': f'keras_models.py, Keras {keras.__version__}, tf_keras {tf_keras.__version__}',
    'shape': [2, channels, height, width],
    'pixels': pixels.ravel().tolist(),
    'probabilities': answers,
}
(folder / 'answers.json').write_text(json.dumps(document, separators=(',', ':')) + '\n')
