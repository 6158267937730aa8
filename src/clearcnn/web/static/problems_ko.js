import ko from "./ko.js";
import { grouped, times } from "./numbers.js";

const size = (shape) => (shape.length > 1 ? times(shape) : `값 ${grouped(shape[0])}개`);

const place = ({ position, layer, shape }) =>
  `${position}번째 층(${layer}${shape ? `, 입력 ${size(shape)}` : ""})`;

const KINDS = {
  count: ({ most }) => `1부터 ${grouped(most)}까지의 정수`,
  sides: ({ most }) => `1부터 ${most}까지의 정수 하나, 또는 둘(세로×가로)`,
  borders: ({ most }) => `0부터 ${most}까지의 정수 하나, 둘(세로, 가로), 또는 넷(위, 아래, 왼쪽, 오른쪽)`,
  padding: () => "“valid” 또는 “same”",
  activation: ({ choices }) => `다음 가운데 하나(${choices.join(", ")})`,
  flag: () => "true 또는 false",
  share: () => "0 이상 1 미만의 수",
  small: () => "0보다 큰 수",
  number: () => "유한한 수",
  name: () => "“/”가 없고 화면에 보이는 글자",
};

/** An argument as the page calls it, and as Keras does. */
const called = (name) => {
  const label = ko[`argument.${name}`];
  return label ? `${label}(${name})` : name;
};

const expected = (values) => KINDS[values.kind](values);

const softmaxEnding = (classes) => `유닛이 ${classes}개이고 활성화가 softmax인 Dense`;

const outputIs = (values) =>
  `${place(values)}: 모델의 출력이 ${size(values.output)}인데 클래스는 ${values.classes}개입니다. 클래스마다 확률이 하나씩 나와야 합니다.`;

const softmaxIs = (values) => {
  const found = values.activation === "linear" ? "없습니다" : `${values.activation}입니다`;
  return `${place(values)}: 마지막 층의 활성화가 ${found}. softmax라야 값 ${values.classes}개가 확률이 됩니다.`;
};

const beyond = (values, found) => [
  `${place(values)}: ${found}입니다. 작은 이미지를 위한 모델에서는 ${grouped(values.most)}까지 됩니다.`,
  "이미지나 앞의 층을 줄이세요.",
];

/** Each problem by its code: from its values to what is wrong, and what to do. */
export default {
  unknown_layer: ({ position, layer, known, near }) => [
    `${position}번째 층: ${layer}라는 층은 없습니다. 쓸 수 있는 층은 ${known.join(", ")}입니다.`,
    near ? `혹시 ${near} 아닌가요?` : "이 가운데에서 고르세요.",
  ],
  unknown_argument: (values) => [
    `${place(values)}: ${values.argument}라는 인자는 없습니다. 쓸 수 있는 인자는 ${values.known.join(", ")}입니다.`,
    values.near ? `혹시 ${values.near} 아닌가요?` : "그 인자를 빼세요.",
  ],
  missing_argument: (values) => [
    `${place(values)}: ${called(values.argument)} 값이 없습니다. ${expected(values)}여야 합니다.`,
    `${values.argument} = ${values.example}처럼 넣으세요.`,
  ],
  wrong_value: (values) => [
    `${place(values)}: ${called(values.argument)} 값이 ${values.given}입니다. ${expected(values)}여야 합니다.`,
    values.near
      ? `혹시 “${values.near}” 아닌가요?`
      : `${values.argument} = ${values.example} 같은 값을 넣으세요.`,
  ],
  strides_and_dilation: (values) => [
    `${place(values)}: strides가 ${times(values.strides)}, dilation_rate가 ${times(values.dilation_rate)}입니다. Keras에서는 둘 가운데 하나만 1보다 클 수 있습니다.`,
    "둘 가운데 하나를 빼세요.",
  ],
  name_taken: (values) => [
    `${place(values)}: “${values.name}”이라는 이름은 이미 쓰였습니다. 같은 이름은 한 번만 쓸 수 있습니다.`,
    "다른 이름을 주거나 이름을 빼세요.",
  ],
  model_name: ({ name, ...kind }) => [
    `모델의 이름이 ${name}입니다. ${expected(kind)}여야 합니다.`,
    "small 같은 이름을 주세요.",
  ],
  no_layers: () => [
    "모델에 층이 없습니다. 하나는 있어야 합니다.",
    "층을 더하고, softmax인 Dense로 끝내세요.",
  ],
  input_shape: ({ shape }) => [
    `입력 ${times(shape)}: 이미지의 모양이 아닙니다. 세로, 가로, 채널이 모두 1 이상이어야 합니다.`,
    "8×8×1 같은 모양을 주세요.",
  ],
  needs_image: (values) => [
    `${place(values)}: 이 층은 한 줄로 편 값이 아니라 이미지(세로×가로×채널)를 받아야 합니다.`,
    "이미지를 한 줄로 펴는 층보다 앞으로 옮기세요.",
  ],
  too_small: (values) => [
    `${place(values)}: 적어도 ${values.needed}픽셀이 필요한데 ${values.received}픽셀이 들어옵니다. 이미지가 하나도 남지 않게 됩니다.`,
    `패딩을 same으로 하거나, ${called(values.size)} 값을 줄이거나, 앞에서 이미지를 덜 줄이세요.`,
  ],
  output_image: (values) => [
    outputIs(values),
    `모델을 Flatten과, ${softmaxEnding(values.classes)}로 끝내세요.`,
  ],
  output_units: (values) => [outputIs(values), `유닛을 ${values.classes}개로 하세요.`],
  output_layer: (values) => [
    outputIs(values),
    `모델을 ${softmaxEnding(values.classes)}로 끝내세요.`,
  ],
  no_softmax: (values) => [softmaxIs(values), "활성화를 softmax로 하세요."],
  no_softmax_layer: (values) => [
    softmaxIs(values),
    "활성화가 softmax인 Activation을 맨 끝에 두세요.",
  ],
  mlp_too_large: (values) => [
    `이 모델의 파라미터는 ${grouped(values.parameters)}개인데, 픽셀 ${grouped(values.inputs)}개와 클래스 ${values.classes}개를 잇는 MLP는 가장 작아도 ${grouped(values.smallest)}개입니다.`,
    "둘을 견주려면 모델을 키우세요.",
  ],
  too_many_parameters: ({ found, most }) => [
    `이 모델의 파라미터는 ${grouped(found)}개입니다. 작업실은 ${grouped(most)}개까지 학습합니다.`,
    "모델을 줄이거나 clearcnn train으로 학습하세요.",
  ],
  too_many_multiply_adds: ({ found, most }) => [
    `이 모델은 이미지 하나에 곱셈·덧셈을 ${grouped(found)}번 합니다. 작업실은 ${grouped(most)}번까지 학습합니다.`,
    "모델을 줄이거나 clearcnn train으로 학습하세요.",
  ],
  too_many_layers: ({ found, most }) => [
    `모델의 층이 ${grouped(found)}개입니다. ${grouped(most)}개까지 만들 수 있습니다.`,
    "층을 몇 개 빼세요.",
  ],
  side_too_long: (values) => beyond(values, `한 변의 픽셀이 ${grouped(values.found)}개`),
  too_many_values: (values) => beyond(values, `이미지 하나에서 나오는 값이 ${grouped(values.found)}개`),
  parameters_to_build: (values) =>
    beyond(values, `여기까지의 파라미터가 ${grouped(values.found)}개`),
  operations_to_build: (values) =>
    beyond(values, `여기까지 이미지 하나에 드는 연산이 ${grouped(values.found)}번`),
  epochs_range: ({ epochs, most }) => [
    `에포크가 ${epochs}번입니다. 작업실에서는 1번부터 ${most}번까지 됩니다.`,
    "더 오래 학습하려면 clearcnn train을 쓰세요.",
  ],
  too_many_waiting: ({ most }) => [
    `학습 ${most}개가 이미 기다리고 있습니다.`,
    "하나가 끝나면 다시 눌러 보세요.",
  ],
  process_ended: () => ["학습하던 프로세스가 갑자기 끝났습니다.", "학습하기를 다시 누르세요."],
  took_too_long: ({ seconds }) => [
    `학습이 ${seconds}초를 넘겨 멈추었습니다.`,
    "에포크를 줄이거나 모델을 줄이세요.",
  ],
  no_room: ({ reason }) => [
    `작업실의 임시 폴더를 만들 수 없습니다(${reason}).`,
    "디스크를 비우거나 TMPDIR을 다른 폴더로 정하세요.",
  ],
  not_written: ({ reason }) => [
    `학습한 네트워크를 쓸 수 없습니다(${reason}).`,
    "디스크를 비우거나 TMPDIR을 다른 폴더로 정하고 다시 학습시키세요.",
  ],
  diverged: ({ epoch }) => [
    `${epoch}번째 에포크에서 손실이나 가중치가 무한대가 되었거나 수가 아니게 되어 학습을 멈추었습니다.`,
    "모델을 바꾸어 보세요.",
  ],
  no_memory: () => ["이 모델을 학습하기에는 메모리가 모자랍니다.", "모델을 줄이세요."],
  no_images: () => [
    "이 모델을 학습시킨 이미지를 다시 읽을 수 없거나, 이미지가 그때와 달라졌습니다.",
    "서버를 시작할 때 --data로 그 이미지를 알려 주세요.",
  ],
  no_validation: () => [
    "이 실행에는 검증 이미지가 없습니다. 작업실은 검증 이미지로 모델을 견줍니다.",
    "검증 데이터를 떼어 두고 다시 학습시키세요.",
  ],
  run_replaced: () => ["실행 폴더가 다른 실행으로 바뀌었습니다.", "페이지를 새로 고치세요."],
  unwritten: () => [
    "학습한 네트워크를 ONNX 파일로 쓸 수 없어 점수를 내지 못했습니다.",
    "모델을 바꾸어 보세요.",
  ],
  status_403: () => ["서버가 이 요청을 받지 않습니다."],
  status_404: () => ["서버에 이제 없는 것입니다. 서버가 다시 시작되었을 수 있습니다."],
  status_409: () => ["실행 폴더가 없어졌거나 바뀌었습니다."],
  status_422: () => ["서버가 알아들을 수 없는 요청입니다."],
  status_503: () => ["서버가 바쁩니다. 잠시 뒤에 다시 해 보세요."],
  otherwise: () => ["서버가 이렇게 답했습니다:"],
};
